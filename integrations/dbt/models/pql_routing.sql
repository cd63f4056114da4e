-- Decisions with all of their reasons: those that reps may not see are in scoring_packet.
select
  r.routing_id, r.program, r.version, r.unit, r.subject_id, r.account_id, r.user_id, r.episode, r.qualification,
  r.score, r.motion, r.owner, r.state, r.state_since, r.blocked_by, r.holdout,
  r.signal_at, r.qualified_at, r.contact_after, r.contact_by, r.claimed_at, r.first_touch_at, r.disposition,
  coalesce(p.headline, r.headline) as headline,
  coalesce(p.reasons, r.reasons) as reasons
from {{ source('pql', 'routing') }} as r
left join {{ source('pql', 'scoring_packet') }} as p on p.home = r.home and p.routing_id = r.routing_id
