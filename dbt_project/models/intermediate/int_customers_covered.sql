{{ config(tags='billing') }}

with

billing_periods as (

    select * from {{ ref('stg_calendar__billing_periods') }}

),

periods_with_earlier_end as (

    select
        customer_id,
        period_start_at,
        period_end_at,
        max(period_end_at) over (
            partition by customer_id
            order by period_start_at, period_end_at
            rows between unbounded preceding and 1 preceding
        ) as earlier_end_at
    from billing_periods

),

periods_with_span as (

    select
        customer_id,
        period_start_at,
        period_end_at,
        sum(case when earlier_end_at >= period_start_at then 0 else 1 end)
            over (
                partition by customer_id
                order by period_start_at, period_end_at
                rows unbounded preceding
            )
            as span_number
    from periods_with_earlier_end

),

spans_per_customer as (

    select
        customer_id,
        span_number,
        min(period_start_at) as covered_from_at,
        max(period_end_at) as covered_to_at
    from periods_with_span
    group by customer_id, span_number

)

select
    customer_id,
    covered_from_at,
    covered_to_at
from spans_per_customer
