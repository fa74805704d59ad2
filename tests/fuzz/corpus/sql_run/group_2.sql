SELECT count(*), sum(l_tax), min(l_shipmode) FROM lineitem WHERE l_orderkey < 0
