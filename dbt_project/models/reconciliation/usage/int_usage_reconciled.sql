with

metrics_totalled as (

    select * from {{ ref('int_metrics_totalled') }}

),

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

),

usage_by_place as (

    select * from {{ ref('int_usage_by_place') }}

),

invoice_lines_recomputed as (

    select * from {{ ref('int_invoice_lines_recomputed') }}

),

accounted_per_metric as (

    select
        metric_code,
        sum(event_count) as event_count,
        {{ sum_exact('quantity', 'metric_code') }} as quantity
    from usage_by_place
    group by metric_code

),

finalized_per_metric as (

    select
        metric_code,
        {{ sum_exact('recomputed_quantity', 'metric_code') }} as expected,
        {{ sum_exact('invoiced_quantity', 'metric_code') }} as actual
    from invoice_lines_recomputed
    where is_catalog_unchanged
    group by metric_code

),

metrics_compared as (

    select
        metrics_totalled.metric_code,
        metrics_defined.unit,
        metrics_totalled.event_count,
        metrics_totalled.quantity,
        coalesce(accounted_per_metric.event_count, 0) as accounted_event_count,
        coalesce(accounted_per_metric.quantity, 0) as accounted_quantity,
        coalesce(finalized_per_metric.expected, 0) as recomputed_quantity,
        coalesce(finalized_per_metric.actual, 0) as invoiced_quantity
    from metrics_totalled
    left join metrics_defined using (metric_code)
    left join accounted_per_metric using (metric_code)
    left join finalized_per_metric using (metric_code)

),

usage_identities as (

    select
        'metric_events' as identity,
        metric_code as subject,
        'event' as unit,
        cast(event_count as decimal(38, 18)) as expected,
        cast(accounted_event_count as decimal(38, 18)) as actual
    from metrics_compared
    union all
    select
        'metric_quantity' as identity,
        metric_code as subject,
        unit,
        quantity as expected,
        accounted_quantity as actual
    from metrics_compared
    where quantity is not null
    union all
    select
        'finalized_quantity' as identity,
        metric_code as subject,
        unit,
        recomputed_quantity as expected,
        invoiced_quantity as actual
    from metrics_compared

)

select * from usage_identities
