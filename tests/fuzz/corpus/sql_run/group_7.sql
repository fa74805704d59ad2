SELECT l_shipmode, count(DISTINCT l_partkey), sum(l_quantity) FROM lineitem WHERE l_orderkey < 6000 GROUP BY 1 ORDER BY 1
