SELECT n_nationkey, n_name, n_regionkey FROM nation WHERE n_regionkey = 3 ORDER BY n_nationkey
