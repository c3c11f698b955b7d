{{ config(materialized='view') }}

{# Of several subscriptions that hold an event which names none of them, the one
   that charges the metric has it, or else the only one that ever does. #}
with

periods_by_stretch as (

    select
        *,
        count(case when is_valid then 1 end) over (
            partition by customer_id, subscription_ref, from_at
        ) as valid_count
    from {{ ref('int_periods_by_stretch') }}

),

metrics_by_period as (

    select * from {{ ref('int_metrics_by_period') }}

),

metrics_per_subscription as (

    select distinct
        subscription_id,
        metric_code
    from metrics_by_period

),

periods_with_metric as (

    select
        periods_by_stretch.customer_id,
        periods_by_stretch.subscription_ref,
        metrics_per_subscription.metric_code,
        periods_by_stretch.from_at,
        periods_by_stretch.to_at,
        periods_by_stretch.subscription_id,
        periods_by_stretch.period_index,
        metrics_by_period.metric_code is not null as is_charged
    from periods_by_stretch
    inner join metrics_per_subscription
        on
            periods_by_stretch.subscription_id
            = metrics_per_subscription.subscription_id
    left join metrics_by_period
        on
            periods_by_stretch.subscription_id
            = metrics_by_period.subscription_id
            and periods_by_stretch.period_index
            = metrics_by_period.period_index
            and metrics_per_subscription.metric_code
            = metrics_by_period.metric_code
    where periods_by_stretch.is_valid and periods_by_stretch.valid_count > 1

),

periods_ranked as (

    select
        *,
        count(*) over (
            partition by customer_id, subscription_ref, metric_code, from_at
        ) as offer_count,
        row_number() over (
            partition by customer_id, subscription_ref, metric_code, from_at
            order by is_charged desc, subscription_id asc, period_index asc
        ) as offer_rank
    from periods_with_metric

)

select
    customer_id,
    subscription_ref,
    metric_code,
    from_at,
    to_at,
    subscription_id,
    period_index
from periods_ranked
where offer_rank = 1 and (is_charged or offer_count = 1)
