SELECT * FROM pql.bi_calibration ORDER BY program, basis, bin
