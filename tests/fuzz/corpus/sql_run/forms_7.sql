SELECT (SELECT o_orderkey FROM orders)
