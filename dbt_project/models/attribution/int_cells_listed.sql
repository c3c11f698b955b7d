{# Of matrices that have no price for a group without a cell. #}
with

charges as (

    select * from {{ ref('stg_catalog__charges') }}
    where
        charge_model = 'matrix'
        and unit_price is null

),

charge_cells as (

    select * from {{ ref('stg_calendar__charge_cells') }}

)

select
    charges.plan_code,
    charges.charge_code,
    charges.subscription_id,
    charges.price_valid_from,
    {{ cells_as_list('charge_cells') }} as cells
from charges
left join charge_cells
    on
        charges.plan_code = charge_cells.plan_code
        and charges.charge_code = charge_cells.charge_code
        and coalesce(charges.subscription_id, '')
        = coalesce(charge_cells.subscription_id, '')
        and charges.price_valid_from = charge_cells.price_valid_from
group by
    charges.plan_code,
    charges.charge_code,
    charges.subscription_id,
    charges.price_valid_from
