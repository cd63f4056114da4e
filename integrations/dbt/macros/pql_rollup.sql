{# Incremental models that keep states of pql's aggregates: the strategy pql_rollup adds the states of new rows to those that are kept.

     {{ config(materialized='incremental', incremental_strategy='pql_rollup', unique_key='user_id',
               pql_states=['heat'], pql_greatest=['loaded_to']) }}
     select user_id, pql.decay_agg('7 days', occurred_at) as heat, max(id) as loaded_to
     from {{ ref('stg_events') }}
     {{ pql.pql_new_rows('id', 'loaded_to') }}
     group by user_id

   pql_states    columns that are added to what is there (pql.state_merge)
   pql_greatest  columns of which the greater value stays (watermarks)
   Others take the new value. dbt looks for strategies in the project itself, which so needs this line in a file of its macros:

     {% raw %}{% macro get_incremental_pql_rollup_sql(arg_dict) %}{{ return(pql.pql_rollup_sql(arg_dict)) }}{% endmacro %}{% endraw %}

   States know nothing of rows that were changed or deleted since: for those, keep states by day and
   let delete+insert make the touched days anew. #}

{# The condition by which an incremental model reads only what it hasn't read yet: rows whose column is beyond the model's watermark.
   The column has to grow in the order in which rows are committed. leads: 'where', or 'and' after conditions of the model's own. #}
{% macro pql_new_rows(column, watermark, leads='where') -%}
  {%- if is_incremental() -%}
    {{ leads }} {{ column }} > coalesce((select max({{ watermark }}) from {{ this }}), {{ column }} - 1)
  {%- endif -%}
{%- endmacro %}

{% macro pql_rollup_sql(arg_dict) -%}
  {%- set keys = arg_dict['unique_key'] -%}
  {%- set keys = [keys] if keys is string else keys -%}
  {%- set states = config.get('pql_states', []) -%}
  {%- set greatest = config.get('pql_greatest', []) -%}
  {%- if not keys or not states -%}
    {{ exceptions.raise_compiler_error("pql_rollup: " ~ model.name ~ " says no " ~ ("unique_key" if not keys else "pql_states")) }}
  {%- endif -%}
  {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | list -%}
  {%- for named in states + greatest if named not in columns -%}
    {{ exceptions.raise_compiler_error("pql_rollup: " ~ model.name ~ " has no column " ~ named) }}
  {%- endfor -%}
  merge into {{ arg_dict['target_relation'] }} as kept
  using {{ arg_dict['temp_relation'] }} as added
  on {% for key in keys %}kept.{{ adapter.quote(key) }} = added.{{ adapter.quote(key) }}{{ " and " if not loop.last }}{% endfor %}
  when matched then update set
  {%- for column in columns if column not in keys %}
    {{ adapter.quote(column) }} =
    {%- if column in states %} coalesce(pql.state_merge(kept.{{ adapter.quote(column) }}, added.{{ adapter.quote(column) }}), kept.{{ adapter.quote(column) }}, added.{{ adapter.quote(column) }})
    {%- elif column in greatest %} greatest(kept.{{ adapter.quote(column) }}, added.{{ adapter.quote(column) }})
    {%- else %} added.{{ adapter.quote(column) }}
    {%- endif %}
    {{- "," if not loop.last }}
  {%- endfor %}
  when not matched then insert ({% for column in columns %}{{ adapter.quote(column) }}{{ ", " if not loop.last }}{% endfor %})
    values ({% for column in columns %}added.{{ adapter.quote(column) }}{{ ", " if not loop.last }}{% endfor %})
{%- endmacro %}
