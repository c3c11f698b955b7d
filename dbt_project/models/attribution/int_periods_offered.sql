with

periods_by_stretch as (

    select * from {{ ref('int_periods_by_stretch') }}

),

periods_shared as (

    select * from {{ ref('int_periods_shared') }}

),

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

{# A void period covers its time, and has no event. Where there are several
   valid ones, who has an event depends on the metric. #}
offers_of_any_metric as (

    select
        customer_id,
        subscription_ref,
        cast(null as varchar) as metric_code,
        from_at,
        to_at,
        case
            when count(case when is_valid then 1 end) = 1
                then max(case when is_valid then subscription_id end)
        end as subscription_id,
        case
            when count(case when is_valid then 1 end) = 1
                then max(case when is_valid then period_index end)
        end as period_index
    from periods_by_stretch
    group by customer_id, subscription_ref, from_at, to_at

),

offers as (

    select * from offers_of_any_metric
    union all
    select * from periods_shared

)

select
    offers.customer_id,
    offers.subscription_ref,
    offers.metric_code,
    offers.from_at,
    offers.to_at,
    offers.subscription_id,
    billing_periods.invoice_id,
    billing_periods.period_start_at,
    billing_periods.time_zone,
    billing_periods.cut_at,
    billing_periods.finalized_batch_id
from offers
left join billing_periods
    on
        offers.subscription_id = billing_periods.subscription_id
        and offers.period_index = billing_periods.period_index
