SELECT CASE WHEN a > 1 THEN 'big' WHEN a = 1 THEN 'one' ELSE 'none' END FROM (VALUES (0), (1), (2), (NULL)) t(a)
