CREATE VIEW l AS SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (2, 'c'), (NULL, 'd'), (4, 'e')) t(k, v);
CREATE VIEW r AS SELECT * FROM (VALUES (2, 'x'), (2, 'y'), (3, 'z'), (NULL, 'n'), (4, 'w')) t(k, w);
SELECT r.k, v, w FROM l RIGHT JOIN r ON l.k = r.k ORDER BY ALL
