{# By all properties that the metric keeps, so that no usage is there twice. #}
with

usage_kept as (

    select
        usage_kept.*,
        metrics_defined.finest_grouping_key
    from {{ ref('int_usage_kept') }} as usage_kept
    inner join {{ ref('int_metrics_defined') }} as metrics_defined
        on usage_kept.metric_code = metrics_defined.metric_code

),

usage_of_subscriptions as (

    select * from usage_kept
    where
        subscription_id is not null
        and version_reason is null
        and unmetered_reason is null
        and grouping_key = finest_grouping_key

)

select
    metric_code,
    subscription_id,
    invoice_id,
    group_key,
    max(case when not is_late then quantity end) as quantity,
    coalesce(
        cast(sum(case when not is_late then event_count end) as bigint), 0
    ) as event_count,
    coalesce(
        cast(sum(case when is_late then event_count end) as bigint), 0
    ) as late_count,
    min(case when not is_late then first_occurred_at end) as first_occurred_at,
    max(case when not is_late then last_occurred_at end) as last_occurred_at,
    max(carried_in) as carried_in,
    coalesce(max(rounded_count), 0) as rounded_count,
    coalesce(max(rounded_sum), 0) as rounded_sum
from usage_of_subscriptions
group by metric_code, subscription_id, invoice_id, group_key
