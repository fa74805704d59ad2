SELECT 1 AS one, 'a' AS a, 1.5 AS d, TRUE AS t, NULL AS n
