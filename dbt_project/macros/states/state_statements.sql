{#- What a metric keeps, brought up to the run: `statements` gets SQL statements that
    belong into one transaction. They say nothing of what is there already, so they
    are the same for the first run, for one batch more, and for an edited catalog.

    1. Slots whose resolution the calendar says otherwise are gone, with their names'
       later ones (`recount`).
    2. Events of batches that were not seen, and of these names, become parts
       (`delta`), which are merged into the state.
    3. The quantities of periods that were touched are worked out again (`usage`).
    4. The mark says what all of it was made from.

    metric  a definition with its metric_code
    digest  of everything that the state depends on, beside events and calendar
    models  relations by the names of models, and `events`: that of `metric_<code>` -#}
{% macro state_statements(metric, digest, models, statements) -%}
    {{ adapter.dispatch('state_statements')(metric, digest, models, statements) }}
{%- endmacro %}


{% macro duckdb__state_statements(metric, digest, models, statements) -%}
    {%- set code = metric.metric_code -%}
    {%- set names = {
        'slots': kept('slots_' ~ code ~ '_' ~ digest[:8]),
        'state': kept('state_' ~ code ~ '_' ~ digest[:8]),
        'usage': kept('usage_' ~ code),
    } -%}
    {%- do names.update({'days': kept('days_' ~ code ~ '_' ~ digest[:8])})
        if metric.traits.daily -%}
    {%- do statements.append(seen_batch(code, digest, models)) -%}
    {%- do begin_statements(metric, models, names, statements) -%}
    {%- do recount_statements(code, models, names.slots, statements) -%}
    {%- do delta_statements(metric, models, names, statements) -%}
    {%- do usage_statements(metric, models, names, statements) -%}
    {%- do mark_statements(code, digest, models, statements) -%}
{%- endmacro %}


{#- What was seen: the last batch that the tables of a mark include, -1 for nothing. A
    mark of another definition is of no use, and neither is that of a batch which the
    lake does not have: the lake is a restored one. -#}
{% macro seen_batch(code, digest, models) -%}
set variable seen_batch = coalesce((
    select marks.batch_id
    from {{ kept('marks') }} as marks
    inner join {{ kept('calendars') }} as calendars
        on marks.calendar_digest = calendars.calendar_digest
    where
        marks.metric_code = {{ sql_text(code) }}
        and marks.definition_digest = {{ sql_text(digest) }}
        and marks.batch_digest is not distinct from
        {{ batch_digest('marks.batch_id', models) }}
    limit 1
), -1)
{%- endmacro %}


{#- The tables of the metric, where they are missing; empty if nothing was seen. -#}
{% macro begin_statements(metric, models, names, statements) -%}
    {%- do statements.append(
'create table if not exists ' ~ names.slots ~ ' (
    slot_id bigint, source varchar, customer_ref varchar, subscription_ref varchar,
    customer_id varchar, is_covered boolean, subscription_id varchar, invoice_id varchar,
    is_late boolean, due_cut_at timestamptz, version_reason varchar,
    unmetered_reason varchar, first_occurred_at timestamptz,
    last_occurred_at timestamptz
)') -%}
    {%- do statements.append(usage_table(names.usage)) -%}
    {%- for table in ('state', 'days') if table in names -%}
        {%- do statements.append('create table if not exists ' ~ names[table]
            ~ ' as select cast(0 as bigint) as slot_id, * exclude (' ~ slot_columns()
            ~ ') from (' ~ delta_query(metric, models.events, models, table == 'days')
            ~ ') as delta limit 0') -%}
        {%- do statements.append('create or replace view '
            ~ kept(table ~ '_' ~ metric.metric_code) ~ ' as select * from ' ~ names[table]) -%}
    {%- endfor -%}
    {%- for table in names.values() -%}
        {%- do statements.append(
            'delete from ' ~ table ~ " where getvariable('seen_batch') < 0") -%}
    {%- endfor -%}
    {%- do statements.append('create or replace view '
        ~ kept('slots_' ~ metric.metric_code) ~ ' as select * from ' ~ names.slots) -%}
{%- endmacro %}


{#- A batch as the lake has it, so that another one of the same number is noticed. -#}
{% macro batch_digest(batch_id, models) -%}
    (
        select md5(cast(batches as varchar))
        from {{ models.batches }} as batches
        where batches.batch_id = {{ batch_id }}
    )
{%- endmacro %}


{#- The last batch of events. -#}
{% macro last_batch(models) -%}
    (
        select coalesce(max(batch_id), 0)
        from {{ models.batches }}
        where kind = 'decide'
    )
{%- endmacro %}


{#- The calendar is kept as long as a mark names it. -#}
{% macro mark_statements(code, digest, models, statements) -%}
    {%- do statements.append(
'insert or replace into ' ~ kept('marks') ~ '
select ' ~ sql_text(code) ~ ', ' ~ sql_text(digest) ~ ', last_batch.batch_id,
    ' ~ batch_digest('last_batch.batch_id', models) ~ ', calendar_digest.calendar_digest
from ' ~ models.int_calendar_digest ~ ' as calendar_digest
cross join (select ' ~ last_batch(models) ~ ' as batch_id) as last_batch') -%}
    {%- do statements.append(
'insert into ' ~ kept('calendars') ~ '
select calendar_digest.calendar_digest, calendar.*
from ' ~ models.int_calendar ~ ' as calendar
cross join ' ~ models.int_calendar_digest ~ ' as calendar_digest
where not exists (
    select 1 from ' ~ kept('calendars') ~ ' as calendars
    where calendars.calendar_digest = calendar_digest.calendar_digest
)') -%}
    {%- do statements.append(
'delete from ' ~ kept('calendars') ~ '
where calendar_digest not in (select marks.calendar_digest from ' ~ kept('marks')
~ ' as marks)') -%}
{%- endmacro %}
