SELECT * FROM (VALUES (1, 'x'), (2, NULL), (3, '')) AS t(a, b) ORDER BY a
