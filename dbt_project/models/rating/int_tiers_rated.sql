with

invoice_lines_metered as (

    select * from {{ ref('int_invoice_lines_metered') }}

),

tiers_priced as (

    select * from {{ ref('int_tiers_priced') }}

),

tiers_reached as (

    select
        invoice_lines_metered.invoice_id,
        invoice_lines_metered.charge_code,
        invoice_lines_metered.group_key,
        tiers_priced.from_units,
        tiers_priced.up_to_units,
        tiers_priced.unit_price,
        tiers_priced.flat_amount,
        least(
            invoice_lines_metered.quantity,
            coalesce(tiers_priced.up_to_units, invoice_lines_metered.quantity)
        ) - tiers_priced.from_units as quantity
    from invoice_lines_metered
    inner join tiers_priced
        on
            invoice_lines_metered.plan_code = tiers_priced.plan_code
            and invoice_lines_metered.charge_code = tiers_priced.charge_code
            and invoice_lines_metered.price_valid_from
            = tiers_priced.price_valid_from
            and invoice_lines_metered.quantity > tiers_priced.from_units

),

tier_amounts as (

    select
        *,
        {{ mul_exact(
            'quantity', 'unit_price', "invoice_id || '/' || charge_code"
        ) }} + flat_amount as amount,
        {{ mul_residue('quantity', 'unit_price') }} as amount_residue
    from tiers_reached

)

select * from tier_amounts
