-- One digest of milestones, members and state, whatever the order in which they are stored.
SELECT md5(concat_ws(' ', pql.state_digest(),
  (SELECT md5(string_agg(m::text, ',' ORDER BY m::text COLLATE "C")) FROM pql.milestones AS m),
  (SELECT md5(string_agg(m::text, ',' ORDER BY m::text COLLATE "C")) FROM pql.members AS m)));
