{#- Step 10: lines without the taxes that their prices include. Lines that bear the same of
    these are taxed together: what the tax is of their gross is rounded once, allocated to the
    codes by rate, and then to the lines by gross. A line's net is what remains, and what
    discounts took off it is restated without tax.

    invoices  relation of invoices to settle
    lines     relation of `plan_bounds`, less all discounts
    borne     relation of `taxes_borne` -#}
{% macro inclusive_taxes(invoices, lines, borne) -%}
    {{ adapter.dispatch('inclusive_taxes')(invoices, lines, borne) }}
{%- endmacro %}


{% macro duckdb__inclusive_taxes(invoices, lines, borne) -%}
    with tax_sets as (
        select
            invoice_key,
            line_number,
            list_sort(list(
                struct_pack(tax_code := tax_code, rate_units := rate_units)
            )) as taxes,
            cast(sum(rate_units) as {{ wide_integer() }}) as rates,
            bool_or(is_alone) as is_alone
        from {{ borne }}
        where inclusive
        group by invoice_key, line_number
    ),

    lines_together as (
        select
            tax_sets.invoice_key,
            tax_sets.taxes,
            tax_sets.rates,
            case when tax_sets.is_alone then tax_sets.line_number end as alone,
            any_value(invoices.rounding) as rounding,
            {{ listed('lines.line_number', 'lines.line_number') }} as line_numbers,
            {{ listed('lines.left_minor', 'lines.line_number') }} as lefts,
            cast(sum(lines.left_minor) as {{ wide_integer() }}) as gross
        from tax_sets
        inner join {{ lines }} as lines
            on
                tax_sets.invoice_key = lines.invoice_key
                and tax_sets.line_number = lines.line_number
        inner join {{ invoices }} as invoices
            on tax_sets.invoice_key = invoices.invoice_key
        group by 1, 2, 3, 4
    ),

    taxed_together as (
        select
            *,
            list_transform(
                {{ allocated('tax', "list_transform(taxes, lambda each: each['rate_units'])",
                    'rates') }},
                lambda of_code: case
                    when alone is not null then [of_code]
                    else {{ allocated('of_code', 'lefts', 'gross') }}
                end
            ) as parts
        from (
            select
                *,
                case
                    when alone is null and gross <= 0 then 0
                    else {{ rounded_product('gross', 'rates', gross_of_one()) }}
                end as tax
            from lines_together
        ) as taxes_together
    ),

    taxes_of_lines as (
        select
            invoice_key,
            line_number,
            rounding,
            rates,
            list_transform(taxes, lambda each, code: struct_pack(
                tax_code := each['tax_code'], minor := parts[code][place]
            )) as tax_parts
        from (
            select
                *,
                unnest(line_numbers) as line_number,
                generate_subscripts(line_numbers, 1) as place
            from taxed_together
        ) as lines_taxed
    ),

    restated as (
        {{ lines_restated(lines, 'taxes_of_lines') }}
    )

    select
        * exclude (left_minor) replace (
            net_minor + {{ sum_of_parts('discount_parts') }} as amount_minor
        )
    from (
        select
            *,
            left_minor - {{ sum_of_parts('tax_parts') }} as net_minor
        from restated
    ) as lines_with_net
{%- endmacro %}
