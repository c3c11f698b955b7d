with

invoice_lines_metered as (

    select * from {{ ref('int_invoice_lines_metered') }}

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
        + {{ amount_of(
            '(' ~ quotient('sum(amount_residue)', '1000000000000000000') ~ ')'
        ) }} as unrounded_amount,
        list({{ tier_detail() }} order by from_units) as tiers
    from tiers_rated
    group by invoice_id, charge_code, group_key

),

rounded_lines as (

    select
        invoice_lines_metered.invoice_id,
        invoice_lines_metered.charge_code,
        invoice_lines_metered.group_key,
        invoice_lines_metered.metric_code,
        invoice_lines_metered.charge_model,
        invoice_lines_metered.price_valid_from,
        invoice_lines_metered.currency,
        invoice_lines_metered.event_count,
        invoice_lines_metered.quantity,
        {{ round_to_minor_unit(
            'coalesce(amounts_per_line.unrounded_amount, 0.000000000000000)',
            'invoice_lines_metered.minor_unit_digits'
        ) }} as amount,
        coalesce(
            cast(to_json(amounts_per_line.tiers) as varchar), '[]'
        ) as tiers
    from invoice_lines_metered
    left join amounts_per_line
        on
            invoice_lines_metered.invoice_id = amounts_per_line.invoice_id
            and invoice_lines_metered.charge_code = amounts_per_line.charge_code
            and invoice_lines_metered.group_key = amounts_per_line.group_key

)

select * from rounded_lines
