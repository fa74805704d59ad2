SELECT count(*), count(l_comment), sum(l_tax), avg(l_tax), min(l_shipmode), max(l_shipmode) FROM lineitem
