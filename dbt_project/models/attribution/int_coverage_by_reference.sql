{{ config(materialized='view') }}

with

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

{# As charges are offered: to events that name no subscription, and to those
   that name this one. #}
periods_per_ref as (

    select
        customer_id,
        '' as subscription_ref,
        period_start_at,
        period_end_at
    from billing_periods
    union all
    select
        customer_id,
        subscription_id as subscription_ref,
        period_start_at,
        period_end_at
    from billing_periods

),

periods_with_earlier_end as (

    select
        *,
        max(period_end_at) over (
            partition by customer_id, subscription_ref
            order by period_start_at, period_end_at
            rows between unbounded preceding and 1 preceding
        ) as earlier_end_at
    from periods_per_ref

),

periods_with_span as (

    select
        customer_id,
        subscription_ref,
        period_start_at,
        period_end_at,
        sum(case when earlier_end_at >= period_start_at then 0 else 1 end)
            over (
                partition by customer_id, subscription_ref
                order by period_start_at, period_end_at
                rows unbounded preceding
            )
            as span_number
    from periods_with_earlier_end

),

spans_per_customer as (

    select
        customer_id,
        subscription_ref,
        span_number,
        min(period_start_at) as covered_from_at,
        max(period_end_at) as covered_to_at
    from periods_with_span
    group by customer_id, subscription_ref, span_number

)

select
    customer_id,
    subscription_ref,
    covered_from_at,
    covered_to_at
from spans_per_customer
