FROM t SELECT a;
FROM t SELECT DISTINCT a WHERE b;
FROM 'x/*.parquet';
FROM s.t;
FROM a, b, c;
FROM a AS x, b y;
FROM x: a;
FROM t AS x(a, b);
FROM (SELECT 1);
FROM (SELECT 1) AS t(a);
FROM (VALUES (1, 'a'), (2, 'b'),) t(x, y);
FROM VALUES (1) t;
FROM (a JOIN b USING (x));
FROM ((SELECT 1) UNION ALL (SELECT 2)) t;
FROM range(10) r(i)
