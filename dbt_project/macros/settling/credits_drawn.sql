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
    with payers as (
        {{ _payers_with_blocks(invoices, lines, blocks, payable) }}
    ),

    invoices_paid as (
        select
            unnest(invoices) as invoice,
            unnest(state['invoices']) as draws
        from (
            select
                invoices,
                list_reduce(
                    invoices,
                    lambda payer, invoice: {{ _after_payment() }},
                    struct_pack(
                        balances := balances,
                        invoices := cast([] as {{ draws_type() }}[])
                    )
                ) as state
            from payers
        ) as payers_after_invoices
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
                draws,
                invoice['invoice_key'] as invoice_key,
                unnest(invoice['line_numbers']) as line_number,
                generate_subscripts(invoice['line_numbers'], 1) as place
            from invoices_paid
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


{#- One row per payer with an invoice that a block may pay: these invoices in order, and what
    each block has left. -#}
{% macro _payers_with_blocks(invoices, lines, blocks, payable) -%}
    select
        invoices_of_payer.payer_key,
        invoices_of_payer.invoices,
        blocks_of_payer.balances
    from (
        select
            payer_key,
            {{ invoices_in_order(['dues', 'blocks']) }} as invoices
        from ({{ invoices_with_blocks(invoices, lines, payable) }}) as invoices
        group by payer_key
    ) as invoices_of_payer
    inner join (
        select
            payer_key,
            {{ listed('balance_minor', 'block_number') }} as balances
        from {{ blocks }}
        group by payer_key
    ) as blocks_of_payer
        on invoices_of_payer.payer_key = blocks_of_payer.payer_key
{%- endmacro %}


{#- The state of a payer after one more invoice: what its blocks have left, and what they paid
    of the invoices so far. -#}
{% macro _after_payment() -%}
    {{ with_value(
        'after',
        _paid(),
        "struct_pack(balances := after['balances'], "
            ~ "invoices := list_append(payer['invoices'], after['draws']))"
    ) }}
{%- endmacro %}


{% macro _paid() -%}
    list_reduce(
        invoice['blocks'],
        lambda state, block: {{ invoice_after_block() }},
        struct_pack(
            dues := invoice['dues'],
            total := greatest(list_sum(invoice['dues']), 0),
            balances := payer['balances'],
            draws := cast([] as {{ draws_type() }})
        )
    )
{%- endmacro %}
