SELECT count(*), sum(c), max(c) FROM (SELECT l_partkey, count(*) AS c FROM lineitem WHERE l_orderkey < 6000 GROUP BY l_partkey)
