-- One row for each decision and each signal that gave it points.
select
  r.routing_id, r.program, r.version, r.subject_id, r.motion, r.qualified_at,
  s.reason ->> 'signal' as signal,
  s.reason ->> 'kind' as kind,
  (s.reason ->> 'points')::int as points
from {{ ref('pql_routing') }} as r
cross join lateral jsonb_array_elements(r.reasons) as s (reason)
