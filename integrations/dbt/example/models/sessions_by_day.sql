-- States by day: events that changed or vanished are made good by the run after, for the days that it makes anew.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['day']) }}

select day, account_id, pql.session_agg('30 minutes', occurred_at) as visits, pql.active_users_agg(user_id) as people
from {{ ref('stg_events') }}
{% if is_incremental() -%}
where day >= (select max(day) - 30 from {{ this }})
{%- endif %}
group by 1, 2
