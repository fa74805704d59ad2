FROM read_csv('x.csv', header = true, sep := ';');
FROM unnest([1, 2]) AS u(x);
FROM t, LATERAL (SELECT t.a) l;
FROM t, LATERAL unnest(t.l);
FROM a JOIN b ON a.x = b.x;
FROM a INNER JOIN b USING (x, y);
FROM a LEFT JOIN b ON true RIGHT OUTER JOIN c ON true FULL JOIN d ON true;
FROM a CROSS JOIN b;
FROM a NATURAL JOIN b;
FROM a NATURAL LEFT JOIN b;
FROM a SEMI JOIN b USING (x);
FROM a ANTI JOIN b ON a.x = b.x;
FROM a ASOF JOIN b ON a.t >= b.t;
FROM a ASOF LEFT JOIN b USING (k, t);
FROM a POSITIONAL JOIN b
