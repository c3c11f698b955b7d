{#- Events that the tables of a keeper do not include, as parts, and the parts in them. -#}
{% macro delta_statements(keeper, models, statements) -%}
    {%- if keeper.metric is none -%}
        {%- do count_statements(keeper, models, statements) -%}
    {%- else -%}
        {%- do _metric_statements(keeper, models, statements) -%}
    {%- endif -%}
{%- endmacro %}


{% macro _metric_statements(keeper, models, statements) -%}
    {%- set metric, tables = keeper.metric, keeper.tables -%}
    {%- set slot = [] -%}
    {%- do slot_columns(slot) -%}
    {%- set is_daily = metric.traits.daily -%}
    {%- do parts_statements(keeper, models, statements) -%}
    {%- do statements.append('create or replace temp table state_delta as '
        ~ merged_parts(metric, slot + ['group_key'], 'state_days')) if is_daily -%}
    {%- do statements.append(
'create or replace temp table state_slots as
select
    ' ~ slot | join(', ') ~ ',
    min(first_occurred_at) as first_occurred_at,
    max(last_occurred_at) as last_occurred_at
from state_delta
group by ' ~ slot | join(', ')) -%}
    {%- do statements.append(
'update ' ~ tables.slots ~ ' as slots
set
    first_occurred_at = least(slots.first_occurred_at, state_slots.first_occurred_at),
    last_occurred_at = greatest(slots.last_occurred_at, state_slots.last_occurred_at)
from state_slots
where ' ~ same_columns(slot, 'slots', 'state_slots')) -%}
    {%- do statements.append(
'insert into ' ~ tables.slots ~ '
select
    coalesce((select max(slots.slot_id) from ' ~ tables.slots ~ ' as slots), 0)
    + row_number() over () as slot_id,
    state_slots.*
from state_slots
anti join ' ~ tables.slots ~ ' as slots
    on ' ~ same_columns(slot, 'slots', 'state_slots')) -%}
    {%- do statements.append(
'insert into state_touched_' ~ keeper.number ~ '
select distinct subscription_id, invoice_id from state_slots') -%}
    {%- do _unmetered_statements(
        events_by_name(keeper, events_of_load(metric, keeper.names, models), models),
        tables.unmetered, statements) -%}
    {%- do merge_statements(metric, 'state_delta', tables.slots, tables.state, [], statements) -%}
    {%- do merge_statements(
        metric, 'state_days', tables.slots, tables.days, ['local_day'], statements
    ) if is_daily -%}
{%- endmacro %}


{#- The events without value, which are looked for only where there are any. -#}
{% macro _unmetered_statements(events, table, statements) -%}
    {%- do statements.append(
'set variable has_unmetered = (
    select count(*) > 0 from state_slots where unmetered_reason is not null
)') -%}
    {%- do statements.append(
'insert into ' ~ table ~ '
select
    file_id,
    line,
    customer_id,
    customer_ref,
    subscription_ref,
    occurred_at,
    received_at,
    unmetered_reason
from ' ~ events ~ " as events_given
where unmetered_reason is not null and getvariable('has_unmetered')") -%}
{%- endmacro %}
