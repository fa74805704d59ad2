SELECT l_returnflag, l_linestatus, count(*), sum(l_quantity), avg(l_discount), min(l_comment), max(l_extendedprice) FROM lineitem GROUP BY ALL ORDER BY ALL
