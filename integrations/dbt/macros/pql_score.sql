{# The score of a subject: an expression for a model's select list.
   program   name of the program
   subject   expression of the subject's id
   as_of     expression of an instant; now by default #}
{% macro pql_score(program, subject, as_of=none) -%}
  pql.score({{ pql.pql_literal(program) }}, {{ subject }}{% if as_of is not none %}, {{ as_of }}{% endif %})
{%- endmacro %}

{# Everybody's score: stands where a table would, with the columns subject_id, score, kinds, qualified and since.
   as_of is an expression, as above. #}
{% macro pql_scoreboard(program, as_of=none) -%}
  pql.scoreboard({{ pql.pql_literal(program) }}{% if as_of is not none %}, {{ as_of }}{% endif %})
{%- endmacro %}
