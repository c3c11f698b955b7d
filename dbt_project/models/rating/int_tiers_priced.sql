{# A standard charge is a graduated one with a single open tier. #}
with

charges as (

    select * from {{ ref('stg_catalog__charges') }}

),

charge_tiers as (

    select * from {{ ref('stg_catalog__charge_tiers') }}

),

standard_tiers as (

    select
        plan_code,
        charge_code,
        price_valid_from,
        cast(0 as decimal(38, 18)) as from_units,
        cast(null as decimal(38, 18)) as up_to_units,
        unit_price,
        cast(0 as decimal(38, 15)) as flat_amount
    from charges
    where charge_model = 'standard'

),

graduated_tiers as (

    select
        charge_tiers.plan_code,
        charge_tiers.charge_code,
        charge_tiers.price_valid_from,
        charge_tiers.from_units,
        charge_tiers.up_to_units,
        charge_tiers.unit_price,
        charge_tiers.flat_amount
    from charge_tiers
    inner join charges
        on
            charge_tiers.plan_code = charges.plan_code
            and charge_tiers.charge_code = charges.charge_code
            and charge_tiers.price_valid_from = charges.price_valid_from
    where charges.charge_model = 'graduated'

),

priced_tiers as (

    select * from standard_tiers
    union all
    select * from graduated_tiers

)

select * from priced_tiers
