{# How many steps of a funnel were done in order within a length of time after the first: an aggregate.
   within   a length of time ('7 days')
   at       expression of an event's time
   steps    conditions on an event, in the order of the funnel
   modes    of window_funnel: strict_order, strict_increase, once … #}
{% macro pql_window_funnel(within, at, steps, modes=none) -%}
  {%- if steps is string or steps | length == 0 -%}
    {{ exceptions.raise_compiler_error("pql_window_funnel: steps is a list of conditions, in the order of the funnel") }}
  {%- elif modes is none -%}
    pql.window_funnel({{ pql.pql_literal(within) }}, {{ at }}, {{ steps | join(", ") }})
  {%- else -%}
    pql.window_funnel(pql.events_agg({{ at }}, {{ steps | join(", ") }}), {{ pql.pql_literal(within) }}, array[
      {%- for mode in modes %}{{ pql.pql_literal(mode) }}{{ ", " if not loop.last }}{% endfor %}])
  {%- endif -%}
{%- endmacro %}
