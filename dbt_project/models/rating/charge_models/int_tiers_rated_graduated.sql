{# Each tier at its own price, for the units that lie in it. At 0 units, the
   flat amount of the first tier is due if its charge says so. #}
with

invoice_lines_metered as (

    select * from {{ ref('int_invoice_lines_metered') }}
    where charge_model = 'graduated' and quantity >= 0

),

charge_tiers as (

    select * from {{ ref('stg_catalog__charge_tiers') }}

),

charges as (

    select * from {{ ref('stg_catalog__charges') }}

),

tiers_reached as (

    select
        invoice_lines_metered.invoice_id,
        invoice_lines_metered.charge_code,
        invoice_lines_metered.group_key,
        charge_tiers.from_units,
        charge_tiers.up_to_units,
        charge_tiers.unit_price,
        charge_tiers.flat_amount,
        least(
            invoice_lines_metered.quantity,
            coalesce(charge_tiers.up_to_units, invoice_lines_metered.quantity)
        ) - charge_tiers.from_units as quantity
    from invoice_lines_metered
    inner join charges
        on
            invoice_lines_metered.plan_code = charges.plan_code
            and invoice_lines_metered.charge_code = charges.charge_code
            and invoice_lines_metered.price_valid_from
            = charges.price_valid_from
    inner join charge_tiers
        on
            invoice_lines_metered.plan_code = charge_tiers.plan_code
            and invoice_lines_metered.charge_code = charge_tiers.charge_code
            and invoice_lines_metered.price_valid_from
            = charge_tiers.price_valid_from
    where
        invoice_lines_metered.quantity > charge_tiers.from_units
        or (
            charges.is_flat_due_at_zero
            and invoice_lines_metered.quantity = 0
            and charge_tiers.from_units = 0
        )

)

{{ rate_tiers('tiers_reached') }}
