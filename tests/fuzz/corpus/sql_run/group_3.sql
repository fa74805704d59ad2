SELECT l_orderkey, sum(l_quantity) AS q FROM lineitem WHERE l_orderkey < 6000 GROUP BY l_orderkey HAVING sum(l_quantity) > 200 ORDER BY q DESC, l_orderkey LIMIT 10
