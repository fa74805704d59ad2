SELECT count(*) FROM orders o WHERE o_totalprice > (SELECT avg(o_totalprice) FROM orders p WHERE p.o_custkey = o.o_custkey)
