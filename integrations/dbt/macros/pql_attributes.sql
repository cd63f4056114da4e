{# For the post-hook of a model with attributes of accounts, users or workspaces: attaches it the first time, and from then on tells pql
   what changed. pql holds it by its name, so that dbt may make it anew and rename it.

     {{ config(materialized='table', post_hook="{{ pql.pql_attributes('account', 'account_id') }}") }}

   unit   account, user or workspace
   id     the model's column with the unit's id
   Only one relation is attached for each unit; where another one is (that of another target in the same database), it is that
   one which is looked at again. #}
{% macro pql_attributes(unit, id) -%}
  {%- set attach = {'account': 'pql.attach_accounts', 'user': 'pql.attach_users', 'workspace': 'pql.attach_workspaces'} -%}
  {%- if unit not in attach -%}
    {{ exceptions.raise_compiler_error("pql_attributes: the unit is account, user or workspace, not " ~ unit) }}
  {%- endif -%}
  select case when exists (select from pql.attribute_source where unit = {{ pql.pql_literal(unit) }})
    then (select count(*) from pql.refresh_attributes({{ pql.pql_literal(unit) }}))
    else (select count(*) from {{ attach[unit] }}({{ pql.pql_literal(this.include(database=false) | string) }}, {{ pql.pql_literal(id) }})) end
{%- endmacro %}
