{# dbt looks for incremental strategies in the project itself, and in no package. #}
{% macro get_incremental_pql_rollup_sql(arg_dict) %}{{ return(pql.pql_rollup_sql(arg_dict)) }}{% endmacro %}
