-- Newest first; what a hand-off went through at one instant in the order in which it goes through it.
SELECT t.unit, t.subject_id, t.at, t.kind, t.what, t.who, t.detail, t.program
FROM pql.bi_timeline AS t
WHERE (t.unit, t.subject_id) IN (SELECT a.unit, a.subject_id FROM pql.bi_accounts AS a ORDER BY a.qualified_at DESC, a.routing_id DESC LIMIT 40)
ORDER BY t.subject_id, t.at DESC,
  array_position('{qualified,pending,blocked,ready,claimed,accepted,declined,touched,disposed,expired,suppressed}', t.what) DESC NULLS LAST, t.kind, t.what
