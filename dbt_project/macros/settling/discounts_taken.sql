{#- Steps 6 and 9: lines less what discounts take off them. Each discount is of what those
    before it left, and is allocated to the lines that it covers by largest remainder. What one
    of the spread `once` has given, and how often one had an effect, is known on the payer's
    next invoice.

    invoices   relation of invoices to settle
    lines      relation of lines in minor units
    discounts  relation of `discounts_in_order`
    covered    relation of invoice_key, line_number and discount_number -#}
{% macro discounts_taken(invoices, lines, discounts, covered) -%}
    {{ adapter.dispatch('discounts_taken')(invoices, lines, discounts, covered) }}
{%- endmacro %}


{% macro duckdb__discounts_taken(invoices, lines, discounts, covered) -%}
    with payers as (
        {{ _payers_with_discounts(invoices, lines, discounts, covered) }}
    ),

    invoices_discounted as (
        select
            unnest(invoices) as invoice,
            unnest(state['invoices']) as parts
        from (
            select
                invoices,
                list_reduce(
                    invoices,
                    lambda payer, invoice: {{ _after_invoice() }},
                    struct_pack(
                        given := nothing_given,
                        times := cast(nothing_given as bigint[]),
                        invoices := cast([] as {{ parts_of_discounts_type() }}[])
                    )
                ) as state
            from payers
        ) as payers_after_invoices
    ),

    parts_of_lines as (
        select
            invoice_key,
            line_number,
            list_filter(
                list_transform(parts, lambda each: struct_pack(
                    discount_number := each['discount_number'],
                    gross_minor := each['of_lines'][place],
                    minor := each['of_lines'][place]
                )),
                lambda part: part['minor'] != 0
            ) as parts
        from (
            select
                parts,
                invoice['invoice_key'] as invoice_key,
                unnest(invoice['line_numbers']) as line_number,
                generate_subscripts(invoice['line_numbers'], 1) as place
            from invoices_discounted
        ) as lines_with_parts
    )

    select
        lines.* replace (
            lines.left_minor - {{ sum_of_parts('parts_of_lines.parts') }} as left_minor,
            list_concat(lines.discount_parts, parts_of_lines.parts) as discount_parts
        )
    from {{ lines }} as lines
    left join parts_of_lines
        on
            lines.invoice_key = parts_of_lines.invoice_key
            and lines.line_number = parts_of_lines.line_number
{%- endmacro %}


{#- One row per payer with an invoice on which a discount falls: these invoices in order, and
    a nothing for each discount. -#}
{% macro _payers_with_discounts(invoices, lines, discounts, covered) -%}
    select
        payer_key,
        {{ invoices_in_order(['lefts', 'discounts']) }} as invoices,
        list_transform(
            range(max(list_max(list_transform(
                discounts, lambda discount: discount['discount_number']
            )))),
            lambda number: cast(0 as {{ wide_integer() }})
        ) as nothing_given
    from ({{ invoices_with_discounts(invoices, lines, discounts, covered) }}) as invoices
    group by payer_key
{%- endmacro %}


{#- The state of a payer after one more invoice: that of its discounts, and what they took off
    the invoices so far. -#}
{% macro _after_invoice() -%}
    {{ with_value('rounding', "invoice['rounding']", with_value(
        'after',
        _reduced(),
        "struct_pack(given := after['given'], times := after['times'], "
            ~ "invoices := list_append(payer['invoices'], after['parts']))"
    )) }}
{%- endmacro %}


{% macro _reduced() -%}
    list_reduce(
        invoice['discounts'],
        lambda state, discount: {{ invoice_after_discount() }},
        struct_pack(
            lefts := invoice['lefts'],
            given := payer['given'],
            times := payer['times'],
            parts := cast([] as {{ parts_of_discounts_type() }})
        )
    )
{%- endmacro %}
