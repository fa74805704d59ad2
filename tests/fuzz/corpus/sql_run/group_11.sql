SELECT k, sum(v), count(v), count(*) FROM (VALUES (1, 2), (NULL, 3), (1, NULL), (NULL, 4)) t(k, v) GROUP BY k ORDER BY k NULLS FIRST
