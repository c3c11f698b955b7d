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
        {{ quantity_of_metric(metric) }} as quantity
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
        null as quantity
    where false

)

select
    metrics_defined.metric_code,
    coalesce(states.event_count, 0) as event_count,
    case
        when metrics_defined.is_additive then coalesce(states.quantity, 0)
    end as quantity
from metrics_defined
left join states
    on metrics_defined.metric_code = states.metric_code
