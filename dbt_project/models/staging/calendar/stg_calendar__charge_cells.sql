with

charge_cells as (

    select * from {{ source('calendar', 'charge_cells') }}

)

select
    plan_code,
    charge_code,
    subscription_id,
    valid_from as price_valid_from,
    properties,
    texts,
    unit_price
from charge_cells
