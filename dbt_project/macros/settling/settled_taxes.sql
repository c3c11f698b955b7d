{#- The taxes of each invoice: what it is of, which leaves out lines that give back, and what
    it comes to. -#}
{% macro settled_taxes(invoices, lines, taxes, borne) -%}
    select
        taxes.invoice_key,
        taxes.tax_code,
        invoices.minor_unit_digits,
        coalesce(bases.minor, 0) as base_minor,
        coalesce(sums.minor, 0) as tax_minor
    from {{ taxes }} as taxes
    inner join {{ invoices }} as invoices
        on taxes.invoice_key = invoices.invoice_key
    left join (
        select
            borne.invoice_key,
            borne.tax_code,
            cast(sum(lines.net_minor) as {{ wide_integer() }}) as minor
        from {{ borne }} as borne
        inner join {{ lines }} as lines
            on
                borne.invoice_key = lines.invoice_key
                and borne.line_number = lines.line_number
        where not {{ gives_back('lines.kind') }}
        group by borne.invoice_key, borne.tax_code
    ) as bases
        on
            taxes.invoice_key = bases.invoice_key
            and taxes.tax_code = bases.tax_code
    left join (
        select
            invoice_key,
            part['tax_code'] as tax_code,
            cast(sum(part['minor']) as {{ wide_integer() }}) as minor
        from (select invoice_key, unnest(tax_parts) as part from {{ lines }}) as parts
        group by invoice_key, part['tax_code']
    ) as sums
        on
            taxes.invoice_key = sums.invoice_key
            and taxes.tax_code = sums.tax_code
{%- endmacro %}
