SELECT n_name FROM nation WHERE n_nationkey NOT IN (SELECT n_nationkey FROM region)
