with

prices as (

    select * from {{ ref('int_prices_numbered') }}

),

charge_tiers as (

    select * from {{ ref('stg_catalog__charge_tiers') }}

)

select
    prices.price_number,
    charge_tiers.from_units,
    charge_tiers.up_to_units,
    charge_tiers.unit_price,
    charge_tiers.rate_percent,
    charge_tiers.flat_amount,
    charge_tiers.package_size,
    charge_tiers.maximum_amount
from charge_tiers
inner join prices
    on
        charge_tiers.plan_code = prices.plan_code
        and charge_tiers.charge_code = prices.charge_code
        and coalesce(charge_tiers.subscription_id, '')
        = coalesce(prices.subscription_id, '')
        and charge_tiers.price_valid_from = prices.price_valid_from
