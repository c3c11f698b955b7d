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
    with recursive invoices_in_order as (
        {{ invoices_with_discounts(invoices, lines, discounts, covered) }}
    ),

    payers as (
        select
            payer_key,
            cast(0 as bigint) as invoice_place,
            list(cast(0 as {{ wide_integer() }}) order by discount_number) as given,
            list(cast(0 as bigint) order by discount_number) as times,
            cast([] as {{ parts_of_discounts_type() }}) as parts,
            cast([] as bigint[]) as line_numbers
        from {{ discounts }}
        group by payer_key
        union all
        select
            payer_key,
            invoice_place,
            state['given'] as given,
            state['times'] as times,
            state['parts'] as parts,
            line_numbers
        from (
            select
                invoices_in_order.*,
                list_reduce(
                    invoices_in_order.discounts,
                    lambda state, discount: {{ invoice_after_discount() }},
                    struct_pack(
                        lefts := invoices_in_order.lefts,
                        given := payers.given,
                        times := payers.times,
                        parts := cast([] as {{ parts_of_discounts_type() }})
                    )
                ) as state
            from payers
            inner join invoices_in_order
                on
                    payers.payer_key = invoices_in_order.payer_key
                    and invoices_in_order.invoice_place = payers.invoice_place + 1
        ) as invoices_discounted
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
                invoices_in_order.invoice_key,
                payers.parts,
                unnest(payers.line_numbers) as line_number,
                generate_subscripts(payers.line_numbers, 1) as place
            from payers
            inner join invoices_in_order
                on
                    payers.payer_key = invoices_in_order.payer_key
                    and payers.invoice_place = invoices_in_order.invoice_place
        ) as lines_with_parts
    )

    select
        lines.* replace (
            lines.left_minor - coalesce(
                list_sum(list_transform(parts_of_lines.parts, lambda part: part['minor'])), 0
            ) as left_minor,
            list_concat(lines.discount_parts, parts_of_lines.parts) as discount_parts
        )
    from {{ lines }} as lines
    left join parts_of_lines
        on
            lines.invoice_key = parts_of_lines.invoice_key
            and lines.line_number = parts_of_lines.line_number
{%- endmacro %}
