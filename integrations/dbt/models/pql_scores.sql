-- Everybody's score now, by each program that is live: exact at the moment of reading.
select p.program, p.version, s.subject_id, s.score, s.qualified, s.since
from {{ source('pql', 'program') }} as p
cross join lateral pql.scoreboard(p.program) as s
where p.status = 'live'
