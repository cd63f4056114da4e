{# Programs live in the project as exposures whose meta has the document, so that they are reviewed like models, and dbt's lineage
   shows what they rest on:

     exposures:
       - name: workspace_expansion
         type: application
         owner: {name: RevOps, email: revops@example.com}
         depends_on:
           - ref('accounts')
           - source('app', 'events')
         meta:
           pql_program:
             unit: account
             …

   The document's "program" is the exposure's name unless it says another.

     dbt run-operation pql_publish                                    all of them
     dbt run-operation pql_publish --args '{program: workspace_expansion, dry_run: true}'

   program    only this one
   dry_run    checks and previews, publishes nothing
   note       kept with the version; by default the exposure's description
   override   why a version may come sooner than the program's limits allow; audited
   Each document is checked, previewed, and published if it differs from the newest version; all of them in one transaction. A document that can't be
   published fails the operation with every problem, and nothing is published. #}
{% macro pql_publish(program=none, dry_run=false, note=none, override=none) %}
  {%- set programs = pql.pql_programs(program) -%}
  {%- set problems = [] -%}
  {%- for document in programs.values() -%}
    {%- for row in run_query("select path, problem, hint from pql.check_program(" ~ pql.pql_literal(document.document) ~ ")") -%}
      {%- do problems.append(document.document.program ~ ": " ~ (row['path'] ~ ": " if row['path']) ~ row['problem'] ~ (" (" ~ row['hint'] ~ ")" if row['hint'])) -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- if problems -%}
    {{ exceptions.raise_compiler_error("pql_publish: nothing was published\n  " ~ problems | join("\n  ")) }}
  {%- endif -%}
  {%- if not dry_run %}{% do run_query("begin") %}{% endif -%}
  {%- for each in programs.values() -%}
    {%- do pql._pql_publish_one(each.document, dry_run, note or each.note, override) -%}
  {%- endfor -%}
  {%- if not dry_run %}{% do run_query("commit") %}{% endif -%}
{% endmacro %}

{# The project's programs: name → document and note. Error when there is none, or none of that name. #}
{% macro pql_programs(program=none) %}
  {%- set found = {} -%}
  {%- for exposure in graph.exposures.values() if exposure.meta.get('pql_program') -%}
    {%- set document = dict({'program': exposure.name}, **exposure.meta['pql_program']) -%}
    {%- if program is none or document.program == program -%}
      {%- if document.program in found -%}
        {{ exceptions.raise_compiler_error("pql_publish: two exposures are program " ~ document.program) }}
      {%- endif -%}
      {%- do found.update({document.program: {'document': document, 'note': (exposure.description or '') | trim or none}}) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if not found -%}
    {{ exceptions.raise_compiler_error("pql_publish: no exposure has " ~ ("a meta.pql_program" if program is none else "the program " ~ program)) }}
  {%- endif -%}
  {{ return(found) }}
{% endmacro %}

{% macro _pql_publish_one(document, dry_run, note, override) %}
  {%- set json = pql.pql_literal(document) -%}
  {%- set newest = run_query("select version, status, note, document = " ~ json ~ "::jsonb as same from pql.program where program = "
                             ~ pql.pql_literal(document.program) ~ " and status <> 'draft' order by version desc limit 1") -%}
  {%- if newest | length and newest[0]['same'] and newest[0]['status'] != 'retired' -%}
    {%- do log(document.program ~ ": version " ~ newest[0]['version'] ~ " is the same", info=true) -%}
  {%- else -%}
    {%- do pql._pql_require_no_better(document.program, newest, override) -%}
    {%- do log(document.program ~ ": " ~ run_query("select pql.preview_summary(" ~ json ~ ")")[0][0], info=true) -%}
    {%- if not dry_run -%}
      {%- set published = run_query("select pql.publish(" ~ json ~ ", " ~ pql.pql_literal(note) ~ ", " ~ pql.pql_literal(override) ~ ")")[0][0] -%}
      {%- set status = run_query("select status from pql.program where program = " ~ pql.pql_literal(document.program) ~ " and version = " ~ published)[0][0] -%}
      {%- do log(document.program ~ ": version " ~ published ~ " is published, " ~ {
            'shadow': "in shadow: SELECT pql.promote('" ~ document.program ~ "') makes it emit rows",
            'building': "and waits for the past: CALL pql.backfill()"}.get(status, status), info=true) -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}

{# What was learned, or is being tried, isn't undone by a file that knows nothing of it. #}
{% macro _pql_require_no_better(program, newest, override) %}
  {%- if override is none and newest | length and (newest[0]['note'] or '').startswith('learned, model') -%}
    {{ exceptions.raise_compiler_error("pql_publish: version " ~ newest[0]['version'] ~ " of " ~ program ~ " was learned; copy its document into the project, or say override") }}
  {%- endif -%}
  {%- if run_query("select from pql.pilot where program = " ~ pql.pql_literal(program) ~ " and ended_at is null") | length -%}
    {{ exceptions.raise_compiler_error("pql_publish: a pilot of " ~ program ~ " is under way; scale or stop it first") }}
  {%- endif -%}
{% endmacro %}
