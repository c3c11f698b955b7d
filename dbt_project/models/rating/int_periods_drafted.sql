with

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

clock as (

    select * from {{ ref('stg_calendar__clock') }}

),

currencies as (

    select * from {{ ref('stg_catalog__currencies') }}

),

periods_to_draft as (

    select
        billing_periods.invoice_id,
        billing_periods.subscription_id,
        billing_periods.period_index,
        billing_periods.customer_id,
        billing_periods.plan_code,
        billing_periods.currency,
        currencies.minor_unit_digits,
        billing_periods.period_start_label,
        billing_periods.period_start_at,
        billing_periods.period_end_at,
        billing_periods.service_days,
        billing_periods.full_days,
        billing_periods.cut_at
    from billing_periods
    cross join clock
    left join currencies
        on billing_periods.currency = currencies.currency
    where
        billing_periods.finalized_batch_id is null
        and billing_periods.period_start_at <= clock.as_of

)

select * from periods_to_draft
