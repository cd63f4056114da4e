SELECT * FROM pql.bi_signals ORDER BY program, lift DESC NULLS LAST, signal
