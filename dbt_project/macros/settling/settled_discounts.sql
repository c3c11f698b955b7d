{#- What each discount took off a payer's invoices, and `left_minor` of what is spread once.

    discounts  relation of `discounts_in_order` -#}
{% macro settled_discounts(invoices, lines, discounts) -%}
    select
        *,
        case when spread = 'once' then greatest({{ _left_of_once() }}, 0) end as left_minor
    from (
        select
            discounts.*,
            currencies.minor_unit_digits,
            currencies.rounding,
            coalesce(sums.minor, 0) as minor,
            coalesce(sums.gross_minor, 0) as gross_minor
        from {{ discounts }} as discounts
        inner join (
            select
                payer_key,
                min(minor_unit_digits) as minor_unit_digits,
                min(rounding) as rounding
            from {{ invoices }}
            group by payer_key
        ) as currencies
            on discounts.payer_key = currencies.payer_key
        left join (
            select
                payer_key,
                part['discount_number'] as discount_number,
                cast(sum(part['minor']) as {{ wide_integer() }}) as minor,
                cast(sum(part['gross_minor']) as {{ wide_integer() }}) as gross_minor
            from (
                select
                    invoices.payer_key,
                    unnest(lines.discount_parts) as part
                from {{ lines }} as lines
                inner join {{ invoices }} as invoices
                    on lines.invoice_key = invoices.invoice_key
            ) as parts
            group by payer_key, part['discount_number']
        ) as sums
            on
                discounts.payer_key = sums.payer_key
                and discounts.discount_number = sums.discount_number
    ) as discounts_with_sums
{%- endmacro %}


{% macro _left_of_once() -%}
    {{ minor_of_decimal('value') }} - {{ minor_of_decimal('used') }} - gross_minor
{%- endmacro %}
