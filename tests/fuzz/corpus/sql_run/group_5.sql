SELECT count(*), sum(c) FROM (SELECT l_comment, count(*) AS c FROM lineitem WHERE l_orderkey < 6000 GROUP BY l_comment)
