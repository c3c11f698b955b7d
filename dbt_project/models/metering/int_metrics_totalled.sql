with

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

),

metered_events as (

    {{ metered_events() }}

),

totals_of_used_metrics as (

    select
        metric_code,
        count(*) as event_count,
        count(distinct row(file_id, line)) as distinct_event_count,
        count(*) filter (where unmetered_reason is null)
            as measured_event_count,
        {{ sum_exact('value', 'metric_code') }} as value_sum
    from metered_events
    group by metric_code

),

metric_totals as (

    select
        metrics_defined.metric_code,
        coalesce(totals_of_used_metrics.event_count, 0) as event_count,
        coalesce(totals_of_used_metrics.distinct_event_count, 0)
            as distinct_event_count,
        coalesce(totals_of_used_metrics.measured_event_count, 0)
            as measured_event_count,
        case
            when metrics_defined.is_additive
                then coalesce(totals_of_used_metrics.value_sum, 0)
        end as quantity
    from metrics_defined
    left join totals_of_used_metrics
        on metrics_defined.metric_code = totals_of_used_metrics.metric_code

)

select * from metric_totals
