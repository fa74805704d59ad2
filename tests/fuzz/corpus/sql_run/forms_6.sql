WITH big AS (SELECT o_custkey, sum(o_totalprice) AS t FROM orders GROUP BY o_custkey) SELECT count(*) FROM big WHERE t = (SELECT max(t) FROM big)
