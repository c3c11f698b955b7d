{#- Step 11: lines with what blocks of credit pay of them. A block pays lines in the order of
    the invoice, each up to what is left of it with its tax, and all together up to what is left
    of the total. What it has left pays the payer's next invoices.

    invoices  relation of invoices to settle
    lines     relation of `exclusive_taxes`
    blocks    relation of `credits_in_order`
    payable   relation of invoice_key, line_number and block_number -#}
{% macro credits_drawn(invoices, lines, blocks, payable) -%}
    {{ adapter.dispatch('credits_drawn')(invoices, lines, blocks, payable) }}
{%- endmacro %}


{% macro duckdb__credits_drawn(invoices, lines, blocks, payable) -%}
    with recursive invoices_in_order as (
        {{ invoices_with_blocks(invoices, lines, payable) }}
    ),

    payers as (
        select
            payer_key,
            cast(0 as bigint) as invoice_place,
            list(balance_minor order by block_number) as balances,
            cast([] as {{ draws_type() }}) as draws,
            cast([] as bigint[]) as line_numbers
        from {{ blocks }}
        group by payer_key
        union all
        select
            payer_key,
            invoice_place,
            state['balances'] as balances,
            state['draws'] as draws,
            line_numbers
        from (
            select
                invoices_in_order.*,
                list_reduce(
                    invoices_in_order.blocks,
                    lambda state, block: {{ invoice_after_block() }},
                    struct_pack(
                        dues := invoices_in_order.dues,
                        total := greatest(list_sum(invoices_in_order.dues), 0),
                        balances := payers.balances,
                        draws := cast([] as {{ draws_type() }})
                    )
                ) as state
            from payers
            inner join invoices_in_order
                on
                    payers.payer_key = invoices_in_order.payer_key
                    and invoices_in_order.invoice_place = payers.invoice_place + 1
        ) as invoices_paid
    ),

    draws_of_lines as (
        select
            invoice_key,
            line_number,
            list_filter(
                list_transform(draws, lambda each: struct_pack(
                    block_number := each['block_number'], minor := each['of_lines'][place]
                )),
                lambda part: part['minor'] != 0
            ) as credit_parts
        from (
            select
                invoices_in_order.invoice_key,
                payers.draws,
                unnest(payers.line_numbers) as line_number,
                generate_subscripts(payers.line_numbers, 1) as place
            from payers
            inner join invoices_in_order
                on
                    payers.payer_key = invoices_in_order.payer_key
                    and payers.invoice_place = invoices_in_order.invoice_place
        ) as lines_with_draws
    )

    select
        lines.*,
        coalesce(draws_of_lines.credit_parts, []) as credit_parts,
        {{ sum_of_parts('draws_of_lines.credit_parts') }} as credit_minor
    from {{ lines }} as lines
    left join draws_of_lines
        on
            lines.invoice_key = draws_of_lines.invoice_key
            and lines.line_number = draws_of_lines.line_number
{%- endmacro %}
