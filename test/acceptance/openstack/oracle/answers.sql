-- What pql says: the explanation of everybody at the 50 instants, and the scoreboard at every fifth.
CREATE TABLE oracle.explained AS
  SELECT o.n, o.program, o.subject_id, e.signal, e.kind, e.points, e.value
  FROM oracle.score AS o JOIN oracle.instant AS i USING (n), LATERAL pql.explain(o.program, o.subject_id, i.as_of) AS e;
CREATE TABLE oracle.board AS
  SELECT i.n, p.program, b.subject_id, b.score, b.kinds
  FROM oracle.instant AS i, oracle.program AS p, LATERAL pql.scoreboard(p.program, i.as_of) AS b
  WHERE i.n % 5 = 0;
ANALYZE oracle.explained;
ANALYZE oracle.board;
