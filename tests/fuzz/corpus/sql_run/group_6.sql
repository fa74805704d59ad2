SELECT count(DISTINCT l_suppkey), count(DISTINCT l_shipmode) FROM lineitem
