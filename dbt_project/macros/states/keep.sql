{#- The models that kept tables are made from, by their names. -#}
{% macro kept_from() -%}
    {%- set models = {'batches': source('lake', 'batches')} -%}
    {%- for name in (
        'int_calendar', 'int_calendar_digest', 'int_calendar_changes',
        'int_events_attributed', 'int_events_judged', 'int_groupings_asked',
        'int_periods_offered', 'int_periods_united', 'stg_calendar__local_days'
    ) -%}
        {%- do models.update({name: ref(name)}) -%}
    {%- endfor -%}
    {%- for code in var('billable_metrics') -%}
        {%- do models.update({'metric_' ~ code: ref('metric_' ~ code)}) -%}
    {%- endfor -%}
    {{ return(models) }}
{%- endmacro %}


{#- Brings the tables of one mark up to the run: those of a metric, or the counts of
    events, which have no code. -#}
{% macro keep(code) -%}
    {%- set models = kept_from() -%}
    {%- set views = [] -%}
    {%- for name, relation in models.items()
        if name == ('metric_' ~ code if code else 'int_events_attributed') -%}
        {%- do views.append(run_query(
            'select sql from duckdb_views() where schema_name = '
            ~ sql_text(relation.schema) ~ ' and view_name = '
            ~ sql_text(relation.identifier)
        ).rows[0][0]) -%}
    {%- endfor -%}
    {%- set metrics = metric_definitions() -%}
    {%- set digest = definition_digest(code, metrics, views[0], models) | trim -%}
    {%- if not run_query(current_mark(code, digest, models)).rows -%}
        {%- set statements = [] -%}
        {%- do statements_of(code, metrics, digest, models, statements) -%}
        {%- do adapter.execute(statements | join(';'), auto_begin=true) -%}
    {%- endif -%}
{%- endmacro %}


{#- A digest of everything that the tables of a mark depend on beside events and
    calendar: also of the statements, so that another version of them begins anew. -#}
{% macro definition_digest(code, metrics, view_sql, models) -%}
    {%- set undigested = [view_sql] -%}
    {%- do statements_of(code, metrics, '-' * 32, models, undigested) -%}
    {{ local_md5(undigested | join(';')) }}
{%- endmacro %}


{#- A row if the tables of a mark are as this run makes them. -#}
{% macro current_mark(code, digest, models) -%}
select 1
from {{ kept('marks') }} as marks
inner join {{ models.int_calendar_digest }} as calendar_digest
    on marks.calendar_digest = calendar_digest.calendar_digest
where
    marks.metric_code = {{ sql_text(code) }}
    and marks.definition_digest = {{ sql_text(digest) }}
    and marks.batch_id = {{ last_batch(models) }}
    and marks.batch_digest is not distinct from {{ batch_digest('marks.batch_id', models) }}
{%- endmacro %}


{% macro statements_of(code, metrics, digest, models, statements) -%}
    {%- if code -%}
        {%- for metric in metrics if metric.metric_code == code -%}
            {%- do state_statements(
                metric, digest, dict(models, events=models['metric_' ~ code]), statements
            ) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do count_statements(metrics, digest, models, statements) -%}
    {%- endif -%}
{%- endmacro %}
