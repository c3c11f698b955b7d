{#- Step 8: lines, with the line that brings what they come to down to the plan's maximum, or
    up to its minimum. It comes last, names no charge and bears all taxes.

    invoices  relation of invoices to settle
    lines     relation of `discounts_taken` -#}
{% macro plan_bounds(invoices, lines) -%}
    select * from {{ lines }}
    union all by name
    select
        invoice_key,
        last_number + 1 as line_number,
        case when bound_minor < 0 then 'maximum' else 'minimum' end as kind,
        bound_minor as amount_minor,
        bound_minor as left_minor,
        cast([] as {{ discount_parts_type() }}) as discount_parts
    from (
        select
            *,
            greatest(capped_minor, coalesce(least_minor, capped_minor)) - lines_minor
                as bound_minor
        from (
            select
                *,
                least(lines_minor, coalesce(most_minor, lines_minor)) as capped_minor
            from ({{ _sums_with_bounds(invoices, lines) }}) as sums_with_bounds
        ) as sums_capped
    ) as bound_lines
    where bound_minor != 0
{%- endmacro %}


{% macro _sums_with_bounds(invoices, lines) -%}
    select
        invoices.invoice_key,
        coalesce(lines_of_invoice.last_number, -1) as last_number,
        coalesce(lines_of_invoice.lines_minor, 0) as lines_minor,
        {{ shared_minor_units('invoices.minimum_amount', 'days', 'of_days') }} as least_minor,
        {{ shared_minor_units('invoices.maximum_amount', 'days', 'of_days') }} as most_minor
    from {{ invoices }} as invoices
    left join (
        select
            invoice_key,
            max(line_number) as last_number,
            cast(sum(left_minor) as {{ wide_integer() }}) as lines_minor
        from {{ lines }}
        group by invoice_key
    ) as lines_of_invoice
        on invoices.invoice_key = lines_of_invoice.invoice_key
    where invoices.minimum_amount is not null or invoices.maximum_amount is not null
{%- endmacro %}
