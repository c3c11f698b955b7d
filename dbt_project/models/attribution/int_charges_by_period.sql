with

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

charges as (

    select * from {{ ref('stg_catalog__charges') }}

),

clock as (

    select * from {{ ref('stg_calendar__clock') }}

),

charges_per_period as (

    select
        billing_periods.subscription_id,
        billing_periods.period_index,
        charges.charge_code,
        billing_periods.customer_id,
        billing_periods.plan_code,
        charges.metric_code,
        charges.charge_model,
        charges.group_by,
        charges.price_valid_from,
        billing_periods.period_start_at,
        billing_periods.period_end_at,
        billing_periods.cut_at,
        billing_periods.finalized_batch_id,
        billing_periods.void_invoice_id,
        billing_periods.period_start_at <= clock.as_of as has_started,
        max(charges.price_valid_from) over (
            partition by
                billing_periods.subscription_id,
                billing_periods.period_index,
                charges.charge_code
        ) as newest_valid_from
    from billing_periods
    cross join clock
    inner join charges
        on
            billing_periods.plan_code = charges.plan_code
            and billing_periods.period_start_date >= charges.price_valid_from

)

select
    subscription_id,
    period_index,
    charge_code,
    customer_id,
    plan_code,
    metric_code,
    charge_model,
    group_by,
    price_valid_from,
    period_start_at,
    period_end_at,
    cut_at,
    finalized_batch_id,
    void_invoice_id,
    has_started
from charges_per_period
where price_valid_from = newest_valid_from
