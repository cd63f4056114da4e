-- The newest forty hand-offs: each is a page of its own that names people, so show no more than you need.
SELECT a.*, s.story FROM (SELECT * FROM pql.bi_accounts ORDER BY qualified_at DESC, routing_id DESC LIMIT 40) AS a JOIN pql.bi_stories AS s USING (routing_id)
ORDER BY a.qualified_at DESC, a.routing_id DESC
