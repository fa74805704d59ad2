SELECT extract(year FROM DATE '1997-03-04'), date_part('month', DATE '1997-03-04')
