{# A value as a literal of SQL: text in quotes, none as null, whatever else Jinja knows (lists, mappings) as JSON.
   Everything that comes from a project's files goes through here, so that no name, note or rule can end a statement. #}
{% macro pql_literal(value) -%}
  {%- if value is none -%}
    null
  {%- elif value is boolean or value is number -%}
    {{ value }}
  {%- elif value is string -%}
    '{{ value | replace("'", "''") }}'
  {%- else -%}
    '{{ tojson(value) | replace("'", "''") }}'
  {%- endif -%}
{%- endmacro %}
