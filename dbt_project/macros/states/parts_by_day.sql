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
