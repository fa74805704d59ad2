SELECT DISTINCT o_orderstatus, o_shippriority FROM orders ORDER BY 1
