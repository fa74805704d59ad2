SELECT l_orderkey, l_quantity, l_shipdate, l_returnflag FROM lineitem LIMIT 3
