SELECT count(*), min(l_shipdate), max(l_shipdate), sum(l_extendedprice) FROM lineitem WHERE l_shipdate >= DATE '1997-01-01' AND l_discount BETWEEN 0.03 AND 0.05
