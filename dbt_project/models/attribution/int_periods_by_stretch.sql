{{ config(materialized='view') }}

with

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

periods_per_ref as (

    {{ offered_by_reference('billing_periods') }}

),

periods_with_earlier_end as (

    select
        *,
        void_invoice_id is null as is_valid,
        max(period_end_at) over (
            partition by customer_id, subscription_ref
            order by period_start_at, period_end_at
            rows between unbounded preceding and 1 preceding
        ) as earlier_end_at
    from periods_per_ref

),

periods_with_sharing as (

    select
        *,
        max(case when earlier_end_at > period_start_at then 1 else 0 end) over (
            partition by customer_id, subscription_ref
        ) as is_shared
    from periods_with_earlier_end

),

bounds as (

    select distinct
        customer_id,
        subscription_ref,
        unnest([period_start_at, period_end_at]) as from_at
    from periods_with_sharing
    where is_shared = 1

),

stretches as (

    select
        *,
        lead(from_at) over (
            partition by customer_id, subscription_ref order by from_at
        ) as to_at
    from bounds

),

{# Nearly all customers have one subscription at a time. #}
periods_by_stretch as (

    select
        periods.*,
        stretches.from_at,
        stretches.to_at
    from stretches
    inner join periods_with_sharing as periods
        on
            stretches.customer_id = periods.customer_id
            and stretches.subscription_ref = periods.subscription_ref
            and stretches.from_at >= periods.period_start_at
            and stretches.from_at < periods.period_end_at
    union all
    select
        *,
        period_start_at as from_at,
        period_end_at as to_at
    from periods_with_sharing
    where is_shared = 0

)

select
    customer_id,
    subscription_ref,
    from_at,
    to_at,
    subscription_id,
    period_index,
    is_valid
from periods_by_stretch
