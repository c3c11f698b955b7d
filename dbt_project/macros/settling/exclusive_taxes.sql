{#- Step 10: lines with the taxes that come on top of their net. Each code and rate is on its
    own, and rounded once over the lines that bear it.

    invoices  relation of invoices to settle
    lines     relation of `inclusive_taxes`
    borne     relation of `taxes_borne` -#}
{% macro exclusive_taxes(invoices, lines, borne) -%}
    {{ adapter.dispatch('exclusive_taxes')(invoices, lines, borne) }}
{%- endmacro %}


{% macro duckdb__exclusive_taxes(invoices, lines, borne) -%}
    with lines_together as (
        select
            borne.invoice_key,
            borne.tax_code,
            borne.rate_units,
            case when borne.is_alone then borne.line_number end as alone,
            any_value(invoices.rounding) as rounding,
            {{ listed('lines.line_number', 'lines.line_number') }} as line_numbers,
            {{ listed('lines.net_minor', 'lines.line_number') }} as nets,
            cast(sum(lines.net_minor) as {{ wide_integer() }}) as base
        from {{ borne }} as borne
        inner join {{ lines }} as lines
            on
                borne.invoice_key = lines.invoice_key
                and borne.line_number = lines.line_number
        inner join {{ invoices }} as invoices
            on borne.invoice_key = invoices.invoice_key
        where not borne.inclusive
        group by 1, 2, 3, 4
    ),

    taxes_together as (
        select
            *,
            case
                when alone is null and base <= 0 then 0
                else {{ rounded_product('base', 'rate_units', '1' ~ '0' * 17) }}
            end as tax
        from lines_together
    ),

    taxes_of_lines as (
        select
            invoice_key,
            line_number,
            list_sort(list(struct_pack(tax_code := tax_code, minor := minor))) as tax_parts
        from (
            select
                invoice_key,
                tax_code,
                unnest(line_numbers) as line_number,
                unnest(case
                    when alone is not null then [tax]
                    else {{ allocated('tax', 'nets', 'base') }}
                end) as minor
            from taxes_together
        ) as parts_of_taxes
        group by invoice_key, line_number
    )

    select
        lines.* replace (
            list_concat(lines.tax_parts, taxes_of_lines.tax_parts) as tax_parts
        ),
        {{ sum_of_parts('list_concat(lines.tax_parts, taxes_of_lines.tax_parts)') }} as tax_minor
    from {{ lines }} as lines
    left join taxes_of_lines
        on
            lines.invoice_key = taxes_of_lines.invoice_key
            and lines.line_number = taxes_of_lines.line_number
{%- endmacro %}
