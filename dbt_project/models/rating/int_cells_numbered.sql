with

prices as (

    select * from {{ ref('int_prices_numbered') }}

),

charge_cells as (

    select * from {{ ref('stg_calendar__charge_cells') }}

)

select
    prices.price_number,
    charge_cells.properties,
    charge_cells.texts,
    charge_cells.unit_price
from charge_cells
inner join prices
    on
        charge_cells.plan_code = prices.plan_code
        and charge_cells.charge_code = prices.charge_code
        and coalesce(charge_cells.subscription_id, '')
        = coalesce(prices.subscription_id, '')
        and charge_cells.price_valid_from = prices.price_valid_from
