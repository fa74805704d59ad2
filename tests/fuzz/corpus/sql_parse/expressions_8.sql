SELECT MAP {'k': 1, 'l': 2};
SELECT MAP {};
SELECT list_transform(l, x -> x + 1);
SELECT list_reduce(l, (x, y) -> x + y);
SELECT list_filter(l, lambda x: x > 1);
SELECT f(lambda x, y: x);
SELECT f(lambda, x);
SELECT f(a := 1, b => 2);
SELECT [x + 1 FOR x IN l];
SELECT [x FOR x IN l IF x > 1];
SELECT [x + i FOR x, i IN l];
SELECT COLUMNS('a.*');
SELECT COLUMNS(* EXCLUDE (a));
SELECT COLUMNS(c -> c LIKE 'a%') + 1;
SELECT ?;
SELECT $1;
SELECT $name;
SELECT a -> 'b' ->> 'c';
SELECT f(j -> 'a')
