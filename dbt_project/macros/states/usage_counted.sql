{#- Parts of touched periods, and of earlier ones where these enter, by each grouping
    that is asked for. -#}
{% macro parts_by_grouping(metric, models, names, is_late, spans='state_spans') -%}
    {%- set columns = [] -%}
    {%- do part_key(metric, columns) -%}
    {%- do columns.extend(metric.traits.state) -%}
    select
        slots.subscription_id,
        groupings.grouping_key,
        {{ 'slots_late.slot' if is_late else 'periods.period_index' }} as slot,
        {{ asked_group_key('states.group_key',
            grouping_key(sql_text_list(metric.group_by | sort)), 'groupings.grouping_key',
            'groupings.group_by', 'groupings.missing_dimension') }} as group_key,
        {%- for column in columns %}
        states.{{ column }},
        {%- endfor %}
        states.event_count,
        states.first_occurred_at,
        states.last_occurred_at,
        states.first_place,
        states.negative_place
        {%- if metric.round_values %},
        states.rounded_count,
        states.rounded_sum
        {%- endif %}
    from {{ names.state }} as states
    inner join {{ names.slots }} as slots
        on states.slot_id = slots.slot_id
    inner join (
        select distinct
            subscription_id, grouping_key, group_by, missing_dimension, conditions
        from {{ spans }}
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
        and {{ conditions_hold('groupings.conditions', properties_of_group('states.group_key')) }}
        {%- if not metric.recurring %}
        and slots.invoice_id in (select invoice_id from {{ spans }})
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
    {{ parts_by_grouping(metric, models, names, false) }}
),
{% if metric.recurring %}

carried as (
    {{ parts_by_grouping(metric, models, names, true) }}
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
        {%- if metric.round_values %},
        cast(sum(rounded_count) as bigint) as rounded_count,
        sum(rounded_sum) as rounded_sum
        {%- endif %}
    from parts
    group by subscription_id, grouping_key, slot, group_key
)

select
    counted.* exclude (slot),
    state_spans.invoice_id,
    false as is_late,
    places.first_place,
    places.negative_place,
    {{ 'counted_before.quantity' if metric.recurring else 'null' }} as carried_in,
    {{ 'coalesce(places.rounded_count, 0)' if metric.round_values else '0' }} as rounded_count,
    {{ 'coalesce(places.rounded_sum, 0)' if metric.round_values else '0' }} as rounded_sum
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
