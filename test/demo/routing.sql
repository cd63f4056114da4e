-- The routing rows that matter most, in 100 columns.
\pset footer off
SELECT r.subject_id AS account, r.score, (r.context ->> 'member_count')::int AS people,
       to_char(r.qualified_at, 'DD Mon') AS routed,
       (SELECT string_agg(format('%s %s', x.value ->> 'points', replace(x.value ->> 'signal', '_', ' ')), ', '
                          ORDER BY x.position)
        FROM jsonb_array_elements(r.reasons) WITH ORDINALITY AS x(value, position)
        WHERE x.position <= 3) AS "most points from"
FROM pql.routing AS r
ORDER BY r.score DESC, r.routing_id
LIMIT 12;
\pset footer on
SELECT format('%s rows in pql.routing for %s of %s accounts.', count(*), count(DISTINCT subject_id),
              (SELECT count(*) FROM truth))
FROM pql.routing
\g (tuples_only=on format=unaligned)
