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
        sum(quantity_whole) as accounted_whole,
        sum(quantity_units) as accounted_units
    from usage_by_place
    group by metric_code

),

recomputed_per_metric as (

    select
        metric_code,
        {{ sum_in_parts('recomputed') }}
    from (
        select metric_code, {{ wide_sum('recomputed_quantity') }}
        from invoice_lines_recomputed
        where is_catalog_unchanged
        group by metric_code
    ) as sums

),

invoiced_per_metric as (

    select
        metric_code,
        {{ sum_in_parts('invoiced') }}
    from (
        select metric_code, {{ wide_sum('invoiced_quantity') }}
        from invoice_lines_recomputed
        where is_catalog_unchanged
        group by metric_code
    ) as sums

),

metrics_compared as (

    select
        metrics_totalled.*,
        metrics_defined.unit,
        metrics_defined.is_additive,
        coalesce(accounted_per_metric.event_count, 0) as accounted_event_count,
        coalesce(accounted_whole, 0) as accounted_whole,
        coalesce(accounted_units, 0) as accounted_units,
        coalesce(recomputed_whole, 0) as recomputed_whole,
        coalesce(recomputed_units, 0) as recomputed_units,
        coalesce(invoiced_whole, 0) as invoiced_whole,
        coalesce(invoiced_units, 0) as invoiced_units
    from metrics_totalled
    left join metrics_defined using (metric_code)
    left join accounted_per_metric using (metric_code)
    left join recomputed_per_metric using (metric_code)
    left join invoiced_per_metric using (metric_code)

),

usage_identities as (

    select
        'metric_events' as identity,
        metric_code as subject,
        'event' as unit,
        cast(event_count as decimal(38, 18)) as expected,
        cast(accounted_event_count as decimal(38, 18)) as actual,
        cast(event_count - accounted_event_count as decimal(38, 18))
            as difference
    from metrics_compared
    union all
    {# What is more than a quantity has no part in the sum. #}
    select
        'metric_quantity' as identity,
        metric_code as subject,
        unit,
        {{ quantity_of_parts('quantity') }} as expected,
        {{ quantity_of_parts('accounted') }} as actual,
        {{ difference_of_parts('quantity', 'accounted') }} as difference
    from metrics_compared
    where is_additive and not has_overflow
    union all
    select
        'finalized_quantity' as identity,
        metric_code as subject,
        unit,
        {{ quantity_of_parts('recomputed') }} as expected,
        {{ quantity_of_parts('invoiced') }} as actual,
        {{ difference_of_parts('recomputed', 'invoiced') }} as difference
    from metrics_compared

)

select * from usage_identities
