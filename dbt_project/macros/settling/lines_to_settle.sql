{#- Step 5: lines in minor units, rounded. `left_minor` is what the steps after it leave.

    invoices  relation of invoices to settle
    lines     relation of their lines -#}
{% macro lines_to_settle(invoices, lines) -%}
    select
        invoice_key,
        line_number,
        kind,
        charge_code,
        tax_codes,
        amount_minor,
        amount_minor as left_minor,
        cast([] as {{ discount_parts_type() }}) as discount_parts
    from (
        select
            lines.*,
            {{ minor_of_decimal('lines.amount') }} as amount_minor
        from {{ lines }} as lines
        inner join {{ invoices }} as invoices
            on lines.invoice_key = invoices.invoice_key
    ) as lines_rounded
{%- endmacro %}


{#- What discounts took off a line: with inclusive tax, and without. -#}
{% macro discount_parts_type() -%}
    struct(discount_number bigint, gross_minor {{ wide_integer() }}, minor {{ wide_integer() }})[]
{%- endmacro %}


{#- Lines that give back what was billed before: no discount falls on them, and their tax is
    their own. -#}
{% macro gives_back(kind) -%} {{ kind }} in ('unused_advance', 'adjustment') {%- endmacro %}
