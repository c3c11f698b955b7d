with

periods_drafted as (

    select * from {{ ref('int_periods_drafted') }}

),

charges_by_period as (

    select * from {{ ref('int_charges_by_period') }}

),

usage_metered as (

    select * from {{ ref('int_usage_metered') }}

),

prices as (

    select * from {{ ref('int_prices_numbered') }}

),

billable_usage as (

    select * from usage_metered
    where unbilled_reason is null

),

{# What is charged as a whole gives a line without any usage too; what is
   charged by group gives the groups that occur. #}
lines_per_charge as (

    select
        periods_drafted.invoice_id,
        charges_by_period.charge_code,
        coalesce(billable_usage.group_key, '{}') as group_key,
        charges_by_period.metric_code,
        charges_by_period.charge_model,
        periods_drafted.plan_code,
        charges_by_period.price_valid_from,
        periods_drafted.currency,
        periods_drafted.minor_unit_digits,
        coalesce(billable_usage.event_count, 0) as event_count,
        coalesce(billable_usage.quantity, 0) as quantity
    from periods_drafted
    inner join charges_by_period
        on
            periods_drafted.subscription_id = charges_by_period.subscription_id
            and periods_drafted.period_index = charges_by_period.period_index
    left join billable_usage
        on
            charges_by_period.subscription_id = billable_usage.subscription_id
            and charges_by_period.period_index = billable_usage.period_index
            and charges_by_period.charge_code = billable_usage.charge_code
    where
        billable_usage.group_key is not null
        or len(charges_by_period.group_by) = 0

)

select
    row_number() over (
        order by
            lines_per_charge.invoice_id,
            lines_per_charge.charge_code,
            lines_per_charge.group_key
    ) as line_key,
    prices.price_number,
    lines_per_charge.*
from lines_per_charge
inner join prices
    on
        lines_per_charge.plan_code = prices.plan_code
        and lines_per_charge.charge_code = prices.charge_code
        and lines_per_charge.price_valid_from = prices.price_valid_from
