SELECT substring('hello' FROM 2 FOR 3), 'abc' LIKE 'a%', 'abc' LIKE '_b_', 'abc' NOT LIKE '%c', upper('straße')
