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
    {%- set statements = [] -%}
    {%- do digested_statements(code, metric_definitions(), views[0], models, statements) -%}
    {%- for each in statements -%}
        {%- do run_query(each) -%}
    {%- endfor -%}
{%- endmacro %}


{#- The statements of a mark, with the digest of everything that its tables depend on
    beside events and calendar: also of themselves, so that another version of them
    begins anew. -#}
{% macro digested_statements(code, metrics, view_sql, models, statements) -%}
    {%- set undigested = [view_sql] -%}
    {%- do _statements_of(code, metrics, '-' * 32, models, undigested) -%}
    {%- do _statements_of(
        code, metrics, local_md5(undigested | join(';')), models, statements
    ) -%}
{%- endmacro %}


{% macro _statements_of(code, metrics, digest, models, statements) -%}
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
