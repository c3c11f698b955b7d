with

invoice_lines_metered as (

    select * from {{ ref('int_invoice_lines_metered') }}

),

tiers_rated as (

    select * from {{ ref('int_tiers_rated') }}

),

sums_per_line as (

    select
        invoice_id,
        charge_code,
        group_key,
        {{ wide_sum('amount') }},
        sum(amount_residue) as residue_sum,
        bool_or(amount is null) as is_beyond,
        list({{ tier_detail() }} order by from_units) as tiers
    from tiers_rated
    group by invoice_id, charge_code, group_key

),

{# Null where a tier, or all of them together, are more than an amount. #}
amounts_per_line as (

    select
        invoice_id,
        charge_code,
        group_key,
        case when not is_beyond then
            {{ attempt('(' ~ amount_of_sum() ~ ' + ' ~ amount_of(
                '(' ~ quotient('residue_sum', '1000000000000000000') ~ ')'
            ) ~ ')') }}
        end as unrounded_amount,
        tiers
    from sums_per_line

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
            "case when amounts_per_line.tiers is null then 0.000000000000000"
            ~ " else amounts_per_line.unrounded_amount end",
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
