{#- Step 10: the taxes that each line bears: those that it names, or else all. Of a payer
    that is exempt, no line bears any.

    taxes  relation of taxes of invoices, one row per tax code -#}
{% macro taxes_borne(invoices, lines, taxes) -%}
    select
        lines.invoice_key,
        lines.line_number,
        taxes.tax_code,
        {{ units_by_text('taxes.rate_percent', 15) }} as rate_units,
        taxes.inclusive,
        {#- Tax of a line alone is rounded for it, and may be below 0. #}
        taxes.rounding = 'line' or {{ gives_back('lines.kind') }} as is_alone
    from {{ lines }} as lines
    inner join {{ invoices }} as invoices
        on lines.invoice_key = invoices.invoice_key
    inner join {{ taxes }} as taxes
        on
            lines.invoice_key = taxes.invoice_key
            and (
                coalesce(len(lines.tax_codes), 0) = 0
                or list_contains(lines.tax_codes, taxes.tax_code)
            )
    where not invoices.is_tax_exempt
{%- endmacro %}


{#- The type of taxes of a line. -#}
{% macro tax_parts_type() -%}
    struct(tax_code varchar, minor {{ wide_integer() }})[]
{%- endmacro %}
