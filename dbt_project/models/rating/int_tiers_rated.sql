with

lines_metered as (

    select * from {{ ref('int_lines_metered') }}

),

tiers_priced as (

    select * from {{ ref('int_tiers_priced') }}

),

tiers_reached as (

    select
        lines_metered.invoice_id,
        lines_metered.charge_code,
        lines_metered.group_key,
        tiers_priced.from_units,
        tiers_priced.up_to_units,
        tiers_priced.unit_price,
        tiers_priced.flat_amount,
        least(
            lines_metered.quantity,
            coalesce(tiers_priced.up_to_units, lines_metered.quantity)
        ) - tiers_priced.from_units as quantity
    from lines_metered
    inner join tiers_priced
        on
            lines_metered.plan_code = tiers_priced.plan_code
            and lines_metered.charge_code = tiers_priced.charge_code
            and lines_metered.price_valid_from = tiers_priced.price_valid_from
            and lines_metered.quantity > tiers_priced.from_units

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
