{#- One row per invoice on which a discount falls: its lines, and its discounts in order. -#}
{% macro invoices_with_discounts(invoices, lines, discounts, covered) -%}
    {%- set lists -%}
    (
        select
            invoice_key,
            list_sort(list(discount)) as discounts
        from ({{ _discounts_of_invoices(invoices, discounts, covered) }}) as each_discount
        group by invoice_key
    )
    {%- endset -%}
    {{ invoices_with_lists(
        invoices, lines, lists, 'discounts',
        {'line_numbers': 'line_number', 'lefts': 'left_minor'}
    ) }}
{%- endmacro %}


{#- `worth` is in minor units of an amount, and parts of `whole` of a percentage. -#}
{% macro _discounts_of_invoices(invoices, discounts, covered) -%}
    select
        invoice_key,
        struct_pack(
            discount_number := discount_number,
            is_percent := kind = 'percent',
            is_once := spread = 'once',
            periods := periods,
            worth := case
                when kind = 'percent' then percent_parts
                else {{ minor_of_decimal('value') }}
            end,
            whole := percent_whole,
            used := case when spread = 'once' then {{ minor_of_decimal('used') }} else 0 end,
            line_numbers := line_numbers
        ) as discount
    from (
        select
            discounts.*,
            invoices.minor_unit_digits,
            invoices.rounding,
            covers.invoice_key,
            covers.line_numbers
        from (
            select
                invoice_key,
                discount_number,
                list(line_number) as line_numbers
            from {{ covered }}
            group by invoice_key, discount_number
        ) as covers
        inner join {{ invoices }} as invoices
            on covers.invoice_key = invoices.invoice_key
        inner join {{ discounts }} as discounts
            on
                invoices.payer_key = discounts.payer_key
                and covers.discount_number = discounts.discount_number
    ) as discounts_with_invoice
{%- endmacro %}
