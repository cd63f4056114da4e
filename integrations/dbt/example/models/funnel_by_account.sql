select account_id, {{ pql.pql_window_funnel('14 days', 'occurred_at', ["name = 'signup'", "name = 'project_created'", "name = 'invite_sent'"]) }} as steps_done
from {{ ref('stg_events') }}
where account_id is not null
group by account_id
