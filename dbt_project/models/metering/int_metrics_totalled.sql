{# From what is kept of all events, whatever became of them. #}
-- depends_on: {{ ref('int_usage_kept') }}
with

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

),

states as (

    {% for metric in metric_definitions() %}
    select
        {{ sql_text(metric.metric_code) }} as metric_code,
        event_count,
        {% set is_wide = 'large_whole' in metric.traits.state -%}
        {{ sum_in_parts('quantity') if is_wide and metric.traits.adds
            else 'event_count as quantity_whole, 0 as quantity_units' }},
        exists(
            select 1
            from {{ kept('usage_' ~ metric.metric_code) }} as usage_of_metric
            where
                usage_of_metric.quantity is null
                and usage_of_metric.unmetered_reason is null
                and usage_of_metric.event_count > 0
        ) as has_overflow
    from (
        select
            {{ sums_of_metric(metric) }}
            cast(sum(event_count) as bigint) as event_count
        from {{ kept('state_' ~ metric.metric_code) }}
    ) as states_summed
    union all
    {% endfor %}
    select
        null as metric_code,
        null as event_count,
        null as quantity_whole,
        null as quantity_units,
        null as has_overflow
    where false

)

select
    metrics_defined.metric_code,
    coalesce(states.event_count, 0) as event_count,
    case
        when metrics_defined.is_additive
            then
                {{ attempt(quantity_of(
                    '(coalesce(quantity_whole, 0) * 1000000000000000000'
                    ~ ' + coalesce(quantity_units, 0))'
                )) }}
    end as quantity,
    cast(coalesce(states.quantity_whole, 0) as {{ wide_integer() }})
        as quantity_whole,
    cast(coalesce(states.quantity_units, 0) as {{ wide_integer() }})
        as quantity_units,
    metrics_defined.is_additive and coalesce(states.has_overflow, false)
        as has_overflow
from metrics_defined
left join states
    on metrics_defined.metric_code = states.metric_code
