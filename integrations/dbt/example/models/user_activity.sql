-- What analysts ask: read from the states, as of now.
select
  user_id,
  pql.decay_score(heat, now()) as heat,
  pql.window_funnel(steps, '14 days') as steps_done,
  pql.time_in_product(visits) as time_in_product,
  pql.last_seen(heat) as last_seen
from {{ ref('user_heat') }}
