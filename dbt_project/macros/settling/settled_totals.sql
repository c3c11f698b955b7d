{#- What an invoice comes to, in minor units, one row per invoice. No total is below 0: what
    the amount due would be below it is `credit_note_minor`.

    invoices  relation of invoices to settle
    lines     relation of `credits_drawn` -#}
{% macro settled_totals(invoices, lines) -%}
    select
        invoice_key,
        minor_unit_digits,
        {%- for each in ('amount', 'discount', 'net', 'tax', 'credit') %}
        greatest({{ each }}_minor, 0) as {{ each }}_minor,
        {%- endfor %}
        greatest(net_minor + tax_minor, 0) as total_minor,
        greatest(net_minor + tax_minor - credit_minor, 0) as due_minor,
        greatest(credit_minor - net_minor - tax_minor, 0) as credit_note_minor
    from (
        select
            invoices.invoice_key,
            min(invoices.minor_unit_digits) as minor_unit_digits,
            {%- for each in ('amount', 'net', 'tax', 'credit') %}
            cast(coalesce(sum(lines.{{ each }}_minor), 0) as {{ wide_integer() }})
                as {{ each }}_minor,
            {%- endfor %}
            cast(coalesce(sum(lines.amount_minor - lines.net_minor), 0) as {{ wide_integer() }})
                as discount_minor
        from {{ invoices }} as invoices
        left join {{ lines }} as lines
            on invoices.invoice_key = lines.invoice_key
        group by invoices.invoice_key
    ) as sums
{%- endmacro %}
