{# What is due of a draft, whether anything was used or not. A fee that is due
   once is due in the first period of its plan. #}
with

periods_drafted as (

    select * from {{ ref('int_periods_drafted') }}

),

charges_by_period as (

    select * from {{ ref('int_charges_by_period') }}

),

prices as (

    select * from {{ ref('int_prices_numbered') }}

),

plans as (

    select * from {{ ref('stg_catalog__plans') }}

),

periods_of_plans as (

    select
        subscription_id,
        plan_code,
        min(period_index) as first_period_index
    from {{ ref('int_periods_united') }}
    group by subscription_id, plan_code

),

fees_billed_once as (

    select * from {{ ref('stg_calendar__fees_billed_once') }}

)

select
    row_number() over (
        order by periods_drafted.invoice_id, charges_by_period.charge_code
    ) as charge_number,
    periods_drafted.invoice_id,
    periods_drafted.subscription_id,
    periods_drafted.period_index,
    charges_by_period.charge_code,
    charges_by_period.metric_code,
    charges_by_period.charge_model,
    charges_by_period.group_by,
    charges_by_period.price_valid_from,
    prices.price_number,
    prices.unit,
    prices.quantity as fee_quantity,
    periods_drafted.currency,
    periods_drafted.minor_unit_digits,
    plans.rounding,
    periods_drafted.service_days as days,
    periods_drafted.full_days as of_days,
    true as is_final,
    cast(null as decimal(38, 15)) as already_amount
from periods_drafted
inner join charges_by_period
    on
        periods_drafted.subscription_id = charges_by_period.subscription_id
        and periods_drafted.period_index = charges_by_period.period_index
inner join prices
    on
        periods_drafted.plan_code = prices.plan_code
        and charges_by_period.charge_code = prices.charge_code
        and coalesce(charges_by_period.price_subscription_id, '')
        = coalesce(prices.subscription_id, '')
        and charges_by_period.price_valid_from = prices.price_valid_from
inner join plans
    on periods_drafted.plan_code = plans.plan_code
inner join periods_of_plans
    on
        periods_drafted.subscription_id = periods_of_plans.subscription_id
        and periods_drafted.plan_code = periods_of_plans.plan_code
left join fees_billed_once
    on
        periods_drafted.subscription_id = fees_billed_once.subscription_id
        and periods_drafted.plan_code = fees_billed_once.plan_code
        and charges_by_period.charge_code = fees_billed_once.charge_code
where
    charges_by_period.charge_model != 'flat'
    or prices.billed = 'period'
    or (
        periods_drafted.period_index = periods_of_plans.first_period_index
        and fees_billed_once.charge_code is null
    )
