CREATE VIEW v(a, b) AS SELECT n_name, n_regionkey FROM nation UNION ALL SELECT r_name, r_regionkey FROM region EXCEPT SELECT 'ASIA', 2;
SELECT a, (SELECT count(*) FROM v w WHERE w.b = v.b AND w.a > v.a) AS n, b IN (SELECT o_orderkey % 5 FROM orders), coalesce(nullif(b, 2), -1) FROM v WHERE length(a) > (SELECT avg(length(r_name)) FROM region) ORDER BY 2, a;
EXPLAIN SELECT DISTINCT b FROM v INTERSECT SELECT 1;
SET time_zone = 'Europe/Vienna';
SELECT TIMESTAMPTZ '2024-03-31 01:30:00+00'::VARCHAR, [1, 2, 3][2], {'a': 1, 'b': 'x'}.b, x FROM (VALUES (1), (NULL)) t(x);
DROP VIEW v
