with

lines_metered as (

    select * from {{ ref('int_lines_metered') }}

),

tiers_rated as (

    select * from {{ ref('int_tiers_rated') }}

),

amounts_per_line as (

    select
        invoice_id,
        charge_code,
        group_key,
        sum(amount)
        + {{ amount_of('(sum(amount_residue) // 1000000000000000000)') }}
            as unrounded_amount,
        list({{ tier_detail() }} order by from_units) as tiers
    from tiers_rated
    group by invoice_id, charge_code, group_key

),

rounded_lines as (

    select
        lines_metered.invoice_id,
        lines_metered.charge_code,
        lines_metered.group_key,
        lines_metered.metric_code,
        lines_metered.charge_model,
        lines_metered.price_valid_from,
        lines_metered.currency,
        lines_metered.event_count,
        lines_metered.quantity,
        {{ round_to_minor_unit(
            'coalesce(amounts_per_line.unrounded_amount, 0.000000000000000)',
            'lines_metered.minor_unit_digits'
        ) }} as amount,
        coalesce(
            cast(to_json(amounts_per_line.tiers) as varchar), '[]'
        ) as tiers
    from lines_metered
    left join amounts_per_line
        on
            lines_metered.invoice_id = amounts_per_line.invoice_id
            and lines_metered.charge_code = amounts_per_line.charge_code
            and lines_metered.group_key = amounts_per_line.group_key

)

select * from rounded_lines
