{# A column of states is what aggregating its source at once gives, byte for byte: nothing was lost, and nothing counted twice.

     columns:
       - name: heat
         data_tests:
           - pql.pql_state_matches_source:
               source: ref('stg_events')
               by: user_id
               state: pql.decay_agg('7 days', occurred_at)

   source  the relation that the states were made from
   by      the columns that the model groups by; none of them null
   state   the aggregate
   where   the rows that count, if not all #}
{% test pql_state_matches_source(model, column_name, source, by, state, where=none) %}
  {%- set keys = by if by is string else by | join(', ') -%}
  with kept as (
    select {{ keys }}, {{ column_name }} as kept from {{ model }}
  ), anew as (
    select {{ keys }}, {{ state }} as anew from {{ source }}{% if where %} where {{ where }}{% endif %} group by {{ keys }}
  )
  select {{ keys }}, pql.state_info(kept) as kept, pql.state_info(anew) as anew
  from kept full join anew using ({{ keys }})
  where (kept is null) <> (anew is null) or pql.state_ne(kept, anew)
{% endtest %}
