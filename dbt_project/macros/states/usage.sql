{#- The quantities of the periods that were touched, and what is on no bill. -#}
{% macro usage_statements(keeper, models, statements) -%}
    {%- set metric, names, number = keeper.metric, keeper.tables, keeper.number -%}
    {%- set code = sql_text(keeper.code) -%}
    {%- set finest = grouping_key(sql_text_list(metric.group_by | sort)) -%}
    {%- do statements.append(
'create or replace temp table state_touched as
with touched as (
    select * from state_touched_' ~ number ~ '
    union distinct
    select reference as subscription_id, name as invoice_id
    from state_changes_' ~ number ~ '
    where kind in ' ~ "('period', 'grouping')" ~ '
)
' ~ ('
select distinct periods.subscription_id, periods.invoice_id
from touched
inner join ' ~ models.int_periods_united ~ ' as touched_periods
    on touched.invoice_id = touched_periods.invoice_id
inner join ' ~ models.int_periods_united ~ ' as periods
    on
        touched_periods.subscription_id = periods.subscription_id
        and periods.period_index >= touched_periods.period_index
union distinct
select * from touched' if metric.recurring else 'select * from touched')) -%}
    {%- do statements.append(
'delete from ' ~ names.usage ~ '
where
    subscription_id is null
    or invoice_id in (select invoice_id from state_touched)') -%}
    {%- do statements.append(
'create or replace temp table state_spans as
with asked as (
    select subscription_id, invoice_id, ' ~ finest ~ ' as grouping_key
    from state_touched
    where invoice_id is not null
    union distinct
    select state_touched.subscription_id, state_touched.invoice_id, groupings.grouping_key
    from state_touched
    inner join ' ~ models.int_groupings_asked ~ ' as groupings
        on
            state_touched.invoice_id = groupings.invoice_id
            and groupings.metric_code = ' ~ code ~ '
)

select
    asked.*,
    periods.period_index as slot,
    periods.period_start_at as span_start_at,
    periods.period_end_at as span_end_at,
    periods.full_start_at,
    periods.full_end_at,
    periods.time_zone
from asked
inner join ' ~ models.int_periods_united ~ ' as periods
    on asked.invoice_id = periods.invoice_id') -%}
    {%- do statements.append(
'insert into ' ~ names.usage ~ ' by name ' ~ _usage_counted(metric, models, names)) -%}
    {%- do statements.append(
'insert into ' ~ names.usage ~ ' by name ' ~ _usage_left_out(metric, finest, names)) -%}
{%- endmacro %}


{#- Parts of touched periods, and of earlier ones where these enter, by each grouping
    that is asked for. -#}
{% macro _parts_by_grouping(metric, models, names, is_late) -%}
    {%- set columns = [] -%}
    {%- do part_key(metric, columns) -%}
    {%- do columns.extend(metric.traits.state) -%}
    select
        slots.subscription_id,
        groupings.grouping_key,
        {{ 'slots_late.slot' if is_late else 'periods.period_index' }} as slot,
        {{ coarser_group_key('states.group_key', 'groupings.grouping_key',
            grouping_key(sql_text_list(metric.group_by | sort))) }} as group_key,
        {%- for column in columns %}
        states.{{ column }},
        {%- endfor %}
        states.event_count,
        states.first_occurred_at,
        states.last_occurred_at,
        states.first_place,
        states.negative_place
    from {{ names.state }} as states
    inner join {{ names.slots }} as slots
        on states.slot_id = slots.slot_id
    inner join (
        select distinct subscription_id, grouping_key from state_spans
    ) as groupings
        on slots.subscription_id = groupings.subscription_id
    inner join {{ models.int_periods_united }} as periods
        on slots.invoice_id = periods.invoice_id
    {%- if is_late %}
    inner join ({{ _late_slots(models, names) }}) as slots_late
        on slots.slot_id = slots_late.slot_id
    {%- endif %}
    where
        {{ '' if is_late else 'not ' }}slots.is_late
        and slots.version_reason is null
        and slots.unmetered_reason is null
        {%- if not metric.recurring %}
        and slots.invoice_id in (select invoice_id from state_spans)
        {%- endif %}
{%- endmacro %}


{#- Late usage of customers whose policy is adjust enters the level of the first period
    whose cut is not before the one that it is due at. -#}
{% macro _late_slots(models, names) -%}
    select
        slots.slot_id,
        min(later.period_index) - 1 as slot
    from {{ names.slots }} as slots
    inner join {{ models.int_periods_united }} as own
        on slots.invoice_id = own.invoice_id
    inner join {{ models.int_periods_united }} as later
        on
            slots.subscription_id = later.subscription_id
            and own.period_index < later.period_index
            and slots.due_cut_at <= later.cut_at
    where slots.is_late and own.late_usage_policy = 'adjust'
    group by slots.slot_id
{%- endmacro %}


{% macro _usage_counted(metric, models, names) -%}
with

parts as (
    {{ _parts_by_grouping(metric, models, names, false) }}
),
{% if metric.recurring %}

carried as (
    {{ _parts_by_grouping(metric, models, names, true) }}
),
{% endif %}

counted as (
    {{ usage_of_parts(metric, 'parts', 'state_spans', ['subscription_id', 'grouping_key'],
        models.stg_calendar__local_days, true, 'carried' if metric.recurring else none) }}
),

{% if metric.recurring %}
counted_before as (
    {{ usage_of_parts(metric, 'parts', 'state_spans', ['subscription_id', 'grouping_key'],
        models.stg_calendar__local_days, true, 'carried', false) }}
),
{% endif %}

places as (
    select
        subscription_id,
        grouping_key,
        slot,
        group_key,
        min(first_place) as first_place,
        min(negative_place) as negative_place
    from parts
    group by subscription_id, grouping_key, slot, group_key
)

select
    counted.* exclude (slot),
    state_spans.invoice_id,
    false as is_late,
    places.first_place,
    places.negative_place,
    {{ 'counted_before.quantity' if metric.recurring else 'null' }} as carried_in
from counted
inner join state_spans
    using (subscription_id, grouping_key, slot)
left join places
    using (subscription_id, grouping_key, slot, group_key)
{%- if metric.recurring %}
left join counted_before
    using (subscription_id, grouping_key, slot, group_key)
{%- endif %}
{%- endmacro %}


{#- Usage that no bill counts, by the reason why. What nothing resolves is few rows, and
    worked out anew. -#}
{% macro _usage_left_out(metric, finest, names) -%}
    {%- set state = metric.traits.state if metric.traits.adds else [] -%}
select
    * {{- ' exclude (' ~ state | join(', ') ~ ')' if state }},
    {{ quantity_of_metric(metric) }} as quantity
from (
    select
        slots.subscription_id,
        slots.invoice_id,
        slots.customer_id,
        case
            when slots.customer_id is null
                then coalesce(slots.subscription_ref, slots.customer_ref)
        end as unattributed_ref,
        case when slots.subscription_id is null then slots.subscription_ref end
            as subscription_ref,
        slots.is_covered,
        slots.is_late,
        slots.due_cut_at,
        slots.version_reason,
        slots.unmetered_reason,
        {{ finest }} as grouping_key,
        states.group_key,
        {{ sums_of_metric(metric) }}
        cast(sum(states.event_count) as bigint) as event_count,
        min(states.first_occurred_at) as first_occurred_at,
        max(states.last_occurred_at) as last_occurred_at,
        min(states.first_place) as first_place,
        min(states.negative_place) as negative_place
    from {{ names.state }} as states
    inner join {{ names.slots }} as slots
        on states.slot_id = slots.slot_id
    where
        slots.subscription_id is null
        or (
            slots.invoice_id in (select invoice_id from state_touched)
            and (
                slots.is_late
                or slots.version_reason is not null
                or slots.unmetered_reason is not null
            )
        )
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
) as usage_left_out
{%- endmacro %}


{#- The columns of all parts of a metric whose quantities add up, and their sum. -#}
{% macro sums_of_metric(metric) -%}
    {%- set merge = aggregation_part(metric, 'merge') if metric.traits.adds else '' -%}
    {{ merge ~ ',' if merge | trim }}
{%- endmacro %}


{% macro quantity_of_metric(metric) -%}
    {%- if metric.traits.adds -%}
    {{ aggregation_part(metric, 'final') }}
    {%- else -%}
    cast(null as decimal(38, 18))
    {%- endif -%}
{%- endmacro %}


{#- The parts of local days, of usage that a subscription has; late or not. -#}
{% macro parts_by_day(metric) -%}
    {%- set merge = aggregation_part(metric, 'merge') -%}
    select
        slots.subscription_id,
        days.group_key,
        days.local_day,
        {{- merge ~ ',' if merge | trim }}
        cast(sum(days.event_count) as bigint) as event_count,
        cast(
            coalesce(sum(case when slots.is_late then days.event_count end), 0) as bigint
        ) as late_count
    from {{ kept('days_' ~ metric.metric_code) }} as days
    inner join {{ kept('slots_' ~ metric.metric_code) }} as slots
        on days.slot_id = slots.slot_id
    where
        slots.subscription_id is not null
        and slots.version_reason is null
        and slots.unmetered_reason is null
    group by slots.subscription_id, days.group_key, days.local_day
{%- endmacro %}
