SELECT n_name FROM nation WHERE n_name LIKE 'U%' ORDER BY 1
