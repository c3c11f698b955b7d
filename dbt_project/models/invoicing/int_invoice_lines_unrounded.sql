{{ config(materialized='view') }}

with

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
        bool_or(amount is null) as is_beyond
    from tiers_rated
    group by invoice_id, charge_code, group_key

),

{# The digits 1 to 15 after the point in one integer, 16 to 33 in another. #}
parts_per_line as (

    select
        invoice_id,
        charge_code,
        group_key,
        {{ whole_of_sum() }} as whole_part,
        {{ quotient(units_of_sum(), '1000') }}
        + {{ quotient('residue_sum', '1000000000000000000') }} as units,
        residue_sum % 1000000000000000000 as residue
    from sums_per_line
    where not is_beyond

),

unrounded_lines as (

    select
        invoice_id,
        charge_code,
        group_key,
        {{ decimal_text(
            'cast(whole_part + ' ~ quotient('units', '1000000000000000')
            ~ " as varchar) || '.' || "
            ~ "lpad(cast(units % 1000000000000000 as varchar), 15, '0') || "
            ~ "lpad(cast(residue as varchar), 18, '0')"
        ) }} as amount_unrounded
    from parts_per_line

)

select * from unrounded_lines
