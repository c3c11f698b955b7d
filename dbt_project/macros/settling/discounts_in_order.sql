{#- Discounts in the order in which they apply, numbered from 1 for each payer, whose
    invoices share what a discount has left. Units are taken off before there is an amount. -#}
{% macro discounts_in_order(discounts) -%}
    select
        *,
        {{ percent_in_parts() }},
        row_number() over (
            partition by payer_key
            order by
                priority,
                case kind when 'percent' then 1 else 2 end,
                discount_id
        ) as discount_number
    from {{ discounts }}
    where kind != 'units'
{%- endmacro %}


{#- A percentage as an integer, and what it is of: 12.5 percent are 125 parts of 1000. -#}
{% macro percent_in_parts() -%}
    case when kind = 'percent' then {{ integer_of_decimal('value') }} end as percent_parts,
    case when kind = 'percent' then {{ scale_of_decimal('value') }} * 100 end as percent_whole
{%- endmacro %}


{#- Step 6: the lines on which discounts of charges fall.

    discounts  relation of `discounts_in_order` -#}
{% macro lines_of_charge_discounts(invoices, lines, discounts) -%}
    select
        lines.invoice_key,
        lines.line_number,
        discounts.discount_number
    from {{ lines }} as lines
    inner join {{ invoices }} as invoices
        on lines.invoice_key = invoices.invoice_key
    inner join {{ discounts }} as discounts
        on
            invoices.payer_key = discounts.payer_key
            and list_contains(discounts.charge_codes, lines.charge_code)
    where lines.kind in ('usage', 'flat')
{%- endmacro %}


{#- Step 9: those on which discounts of the whole invoice fall. -#}
{% macro lines_of_invoice_discounts(invoices, lines, discounts) -%}
    select
        lines.invoice_key,
        lines.line_number,
        discounts.discount_number
    from {{ lines }} as lines
    inner join {{ invoices }} as invoices
        on lines.invoice_key = invoices.invoice_key
    inner join {{ discounts }} as discounts
        on
            invoices.payer_key = discounts.payer_key
            and len(discounts.charge_codes) = 0
    where not {{ gives_back('lines.kind') }}
{%- endmacro %}
