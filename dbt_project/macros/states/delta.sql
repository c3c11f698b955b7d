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
    {%- set slot = slot_columns() | replace('\n', ' ') -%}
    {%- set slot_names = slot.replace(' ', '').split(',') -%}
    {%- set is_daily = metric.traits.daily -%}
    {%- do statements.append(
        'create or replace temp table state_' ~ ('days' if is_daily else 'delta') ~ ' as '
        ~ delta_query(
            metric,
            events_to_count(
                keeper,
                events_of_load(metric, keeper.metrics, models),
                events_of_view(metric, models)
            ),
            models,
            is_daily
        )) -%}
    {%- do statements.append('create or replace temp table state_delta as '
        ~ merged_parts(metric, slot_names + ['group_key'], 'state_days')) if is_daily -%}
    {%- do statements.append(
'create or replace temp table state_slots as
select
    ' ~ slot ~ ',
    min(first_occurred_at) as first_occurred_at,
    max(last_occurred_at) as last_occurred_at
from state_delta
group by ' ~ slot) -%}
    {%- do statements.append(
'update ' ~ tables.slots ~ ' as slots
set
    first_occurred_at = least(slots.first_occurred_at, state_slots.first_occurred_at),
    last_occurred_at = greatest(slots.last_occurred_at, state_slots.last_occurred_at)
from state_slots
where ' ~ same_columns(slot_names, 'slots', 'state_slots')) -%}
    {%- do statements.append(
'insert into ' ~ tables.slots ~ '
select
    coalesce((select max(slots.slot_id) from ' ~ tables.slots ~ ' as slots), 0)
    + row_number() over () as slot_id,
    state_slots.*
from state_slots
anti join ' ~ tables.slots ~ ' as slots
    on ' ~ same_columns(slot_names, 'slots', 'state_slots')) -%}
    {%- do statements.append(
'insert into state_touched_' ~ keeper.number ~ '
select distinct subscription_id, invoice_id from state_slots') -%}
    {%- do merge_statements(metric, 'state_delta', tables.slots, tables.state, [], statements) -%}
    {%- do merge_statements(
        metric, 'state_days', tables.slots, tables.days, ['local_day'], statements
    ) if is_daily -%}
{%- endmacro %}


{#- Events as parts by slot and group, and by local day if these are `daily`; see
    `metric_parts`. -#}
{% macro delta_query(metric, events, models, daily=false) -%}
    {{ adapter.dispatch('delta_query')(metric, events, models, daily) }}
{%- endmacro %}


{% macro duckdb__delta_query(metric, events, models, daily) -%}
    {%- set groups = [] -%}
    {%- for name in metric.group_by | sort -%}
        {%- do groups.append('group_' ~ loop.index) -%}
    {%- endfor -%}
    {%- set slot = slot_columns() | replace('\n', ' ') -%}
    {%- set key = slot.replace(' ', '').split(',') + groups -%}
    {%- set resolved = '(' ~ _events_to_group(metric, events, models) ~ ')' -%}
    {%- if daily -%}
        {%- do key.append('local_day') -%}
        {%- set resolved = '(' ~ with_local_day(resolved, 'occurred_at',
            models.stg_calendar__local_days, 'local_days.day_number as local_day') ~ ')' -%}
    {%- endif -%}
    {%- set place = place_number('file_id', 'line') -%}
select
    * {{ 'exclude (' ~ groups | join(', ') ~ ')' if groups }},
    {{ group_key_of_columns(metric.group_by | sort, groups) }} as group_key
from (
    {{ metric_parts(
        metric, resolved, key,
        models.stg_calendar__local_days,
        [
            'min(' ~ place ~ ') as first_place',
            'min(case when value < 0 then ' ~ place ~ ' end) as negative_place'
        ]
    ) }}
) as parts_by_group
{%- endmacro %}


{#- Events as they resolve. What no bill will count needs none of the columns that only
    tell values apart. -#}
{% macro _events_to_group(metric, events, models) -%}
    {%- set told_apart = [] -%}
    {%- for name in metric.traits.state_key if name in ('value', 'value_text') -%}
        {%- do told_apart.append(name) -%}
    {%- endfor -%}
    select
        * {{- ' exclude (' ~ told_apart | join(', ') ~ ')' if told_apart }}
        {%- for name in told_apart %},
        case
            when subscription_id is not null
                and version_reason is null
                and unmetered_reason is null
                then {{ name }}
        end as {{ name }}
        {%- endfor %}
    from (
        {{ resolved_events(metric.metric_code, events, models) }}
    ) as events_resolved
{%- endmacro %}
