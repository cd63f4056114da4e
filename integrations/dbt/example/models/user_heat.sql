-- States of every user: a run reads only what is new, whatever times the new events have.
{{ config(materialized='incremental', incremental_strategy='pql_rollup', unique_key='user_id',
          pql_states=['heat', 'steps', 'visits'], pql_greatest=['loaded_to']) }}

select
  user_id,
  pql.decay_agg('7 days', occurred_at) as heat,
  pql.events_agg(occurred_at, name = 'signup', name = 'project_created', name = 'invite_sent') as steps,
  pql.session_agg('30 minutes', occurred_at) as visits,
  max(id) as loaded_to
from {{ ref('stg_events') }}
{{ pql.pql_new_rows('id', 'loaded_to') }}
group by user_id
