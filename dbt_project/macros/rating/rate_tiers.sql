{#- The last step of a charge model: the query of its tiers with what each costs.
    `tiers` has a row per line of an invoice and tier that its quantity reaches,
    with the columns of `int_tiers_rated` before the amounts. An amount that its type
    does not hold is null. -#}
{% macro rate_tiers(tiers) -%}
    select
        invoice_id,
        charge_code,
        group_key,
        from_units,
        up_to_units,
        unit_price,
        flat_amount,
        quantity,
        {{ attempt(mul_exact('quantity', 'unit_price') ~ ' + flat_amount') }}
            as amount,
        {{ mul_residue('quantity', 'unit_price') }} as amount_residue
    from {{ tiers }}
{%- endmacro %}
