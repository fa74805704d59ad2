SELECT extract(year FROM o_orderdate) AS y, count(*) FILTER (WHERE o_orderstatus = 'F'), avg(o_totalprice) FROM orders GROUP BY y ORDER BY y
