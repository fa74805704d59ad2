SELECT l_orderkey, l_linenumber, l_comment FROM lineitem WHERE l_partkey = 17 ORDER BY l_orderkey, l_linenumber
