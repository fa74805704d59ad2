SELECT pi(), pi() > 3 FROM nation WHERE now() IS NOT NULL AND n_regionkey < pi()
