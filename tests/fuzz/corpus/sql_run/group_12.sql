SELECT l_orderkey, count(*) FROM lineitem
