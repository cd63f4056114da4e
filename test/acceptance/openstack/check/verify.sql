-- the state agrees with a scan (pql.verify)
SELECT * FROM pql.verify();
