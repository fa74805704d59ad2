SELECT sum((n_nationkey > 3)::DOUBLE), max((n_regionkey = 1)::BIGINT), min((n_regionkey = 1)::DECIMAL(5, 1)) FROM nation GROUP BY n_regionkey
