{# Each unit at one price: a single open tier. #}
with

invoice_lines_metered as (

    select * from {{ ref('int_invoice_lines_metered') }}
    where charge_model = 'standard' and quantity > 0

),

charges as (

    select * from {{ ref('stg_catalog__charges') }}

),

tiers_reached as (

    select
        invoice_lines_metered.invoice_id,
        invoice_lines_metered.charge_code,
        invoice_lines_metered.group_key,
        cast(0 as decimal(38, 18)) as from_units,
        cast(null as decimal(38, 18)) as up_to_units,
        charges.unit_price,
        cast(0 as decimal(38, 15)) as flat_amount,
        invoice_lines_metered.quantity
    from invoice_lines_metered
    inner join charges
        on
            invoice_lines_metered.plan_code = charges.plan_code
            and invoice_lines_metered.charge_code = charges.charge_code
            and invoice_lines_metered.price_valid_from
            = charges.price_valid_from

)

{{ rate_tiers('tiers_reached') }}
