select id, user_id, account_id, name, ts as occurred_at, (ts at time zone 'UTC')::date as day
from {{ source('app', 'events') }}
where user_id is not null
