{#- Brings what all metrics keep, and the counts of events, up to the run, in one
    transaction. Events are read once for all of them, some batches at a time. -#}
{% macro keep() -%}
    {%- set models = kept_from() -%}
    {%- set keepers = [] -%}
    {%- do keepers_of(metric_definitions(), models, _view_texts(models), keepers) -%}
    {%- set stale = [] -%}
    {%- for keeper in keepers
        if flags.FULL_REFRESH or not run_query(current_mark(keeper, models)).rows -%}
        {%- do stale.append(keeper) -%}
    {%- endfor -%}
    {%- if stale -%}
        {%- set statements = [] -%}
        {%- do statements.append('delete from ' ~ kept('marks')) if flags.FULL_REFRESH -%}
        {%- do begin_statements(stale, models, statements) -%}
        {%- do adapter.execute(statements | join(';'), auto_begin=true) -%}
        {%- for bounds in _stretches_of_batches(models) -%}
            {%- set statements = [] -%}
            {%- do load_statements(bounds, stale, models, statements) -%}
            {%- do adapter.execute(statements | join(';'), auto_begin=true) -%}
        {%- endfor -%}
        {%- set statements = [] -%}
        {#- First, so that no mark of theirs holds a calendar. -#}
        {%- do _drop_others(keepers, statements) -%}
        {%- do end_statements(stale, models, statements) -%}
        {%- do adapter.execute(statements | join(';'), auto_begin=true) -%}
    {%- endif -%}
{%- endmacro %}


{#- What earlier versions of metrics kept, and metrics that are no more. -#}
{% macro _drop_others(keepers, statements) -%}
    {%- set names, codes = ['"marks"', '"calendars"', '"recounts"'], [] -%}
    {%- for keeper in keepers -%}
        {%- do codes.append(sql_text(keeper.code)) -%}
        {%- for kind, table in keeper.tables.items() -%}
            {%- do names.extend([table.split('.')[-1], '"' ~ kind ~ '_' ~ keeper.code ~ '"']) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do names.append('"counts"') -%}
    {%- for row in run_query(
        "select 'view', view_name from duckdb_views() where schema_name = 'states'
        union all select 'table', table_name from duckdb_tables() where schema_name = 'states'"
    ).rows if '"' ~ row[1] ~ '"' not in names -%}
        {%- do statements.append('drop ' ~ row[0] ~ ' if exists ' ~ kept(row[1])) -%}
    {%- endfor -%}
    {%- for table in ('marks', 'recounts') -%}
        {%- do statements.append('delete from ' ~ kept(table) ~ ' where metric_code not in ('
            ~ codes | join(', ') ~ ')') -%}
    {%- endfor -%}
{%- endmacro %}


{#- The models that kept tables are made from, by their names. -#}
{% macro kept_from() -%}
    {%- set models = {
        'batches': lake_table('batches'), 'file_decisions': lake_table('file_decisions')
    } -%}
    {%- for name in (
        'int_calendar', 'int_calendar_digest', 'int_calendar_changes',
        'int_events_attributed', 'int_events_judged', 'int_groupings_asked',
        'int_periods_offered', 'int_periods_united', 'stg_calendar__auto_customer_sources',
        'stg_calendar__customer_names', 'stg_calendar__local_days',
        'stg_catalog__subscriptions', 'stg_lake__accepted_events'
    ) -%}
        {%- do models.update({name: ref(name)}) -%}
    {%- endfor -%}
    {%- for code in var('billable_metrics') -%}
        {%- do models.update({'metric_' ~ code: ref('metric_' ~ code)}) -%}
    {%- endfor -%}
    {{ return(models) }}
{%- endmacro %}


{#- The text of the views of events, by the names of models, with a digest of whatever
    else they read: a mapping is edited like code. -#}
{% macro _view_texts(models) -%}
    {%- set texts = {} -%}
    {%- set views = run_query('select schema_name, view_name, sql from duckdb_views()') -%}
    {%- for name, relation in models.items() -%}
        {%- for view in views.rows
            if view[0] == relation.schema and view[1] == relation.identifier -%}
            {%- do texts.update({name: view[2]}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values()
        if node.name in texts and node.name.startswith('metric_') -%}
        {%- for parent in node.depends_on.nodes
            if parent in graph.nodes and graph.nodes[parent].name != 'int_events_attributed' -%}
            {%- set digest = run_query('select ' ~ digest_of_rows('parent_rows') ~ ' from '
                ~ graph.nodes[parent].relation_name ~ ' as parent_rows') -%}
            {%- do texts.update({node.name: texts[node.name] ~ digest.rows[0][0]}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(texts) }}
{%- endmacro %}


{#- First (exclusive) and last batch of stretches of about 8 million accepted events, so
    that a rebuild needs no more memory than a large day. The last one ends with the batch
    that the marks will name. At least one. -#}
{% macro _stretches_of_batches(models) -%}
    {%- set counts = run_query(
        "select batches.batch_id, coalesce(sum(decisions.accepted), 0)
        from " ~ models.batches ~ " as batches
        left join " ~ models.file_decisions ~ " as decisions
            on batches.batch_id = decisions.batch_id
        where batches.kind = 'decide' and batches.batch_id > getvariable('first_unseen')
        group by 1 order by 1"
    ) -%}
    {%- set stretch = namespace(
        after=run_query("select getvariable('first_unseen')").rows[0][0], size=0
    ) -%}
    {%- set stretches = [] -%}
    {%- for row in counts.rows -%}
        {%- set stretch.size = stretch.size + row[1] -%}
        {%- if stretch.size >= 8000000 or loop.last -%}
            {%- do stretches.append((stretch.after, row[0])) -%}
            {%- set stretch.after, stretch.size = row[0], 0 -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(stretches or [(stretch.after, stretch.after)]) }}
{%- endmacro %}
