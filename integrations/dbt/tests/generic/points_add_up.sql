{# The points of the reasons sum to the score, for each row of a relation like pql.routing.

   score     the column with the total
   reasons   the column with the reasons: a JSON array of objects with points #}
{% test points_add_up(model, score='score', reasons='reasons') %}
  select m.*
  from {{ model }} as m
  cross join lateral (select coalesce(sum((r ->> 'points')::int), 0) as points from jsonb_array_elements(m.{{ reasons }}) as r) as s
  where s.points is distinct from m.{{ score }}
{% endtest %}
