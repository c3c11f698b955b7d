{#- The type of what each block paid of an invoice's lines, in their order. -#}
{% macro draws_type() -%}
    struct(block_number bigint, of_lines {{ wide_integer() }}[])[]
{%- endmacro %}


{#- One row per invoice that a block may pay: its lines, and these blocks in order. -#}
{% macro invoices_with_blocks(invoices, lines, payable) -%}
    {%- set lists -%}
    (
        select
            invoice_key,
            list_sort(list(
                struct_pack(block_number := block_number, line_numbers := line_numbers)
            )) as blocks
        from (
            select
                invoice_key,
                block_number,
                list(line_number) as line_numbers
            from {{ payable }}
            group by invoice_key, block_number
        ) as each_block
        group by invoice_key
    )
    {%- endset -%}
    {{ invoices_with_lists(
        invoices, lines, lists, 'blocks',
        {'line_numbers': 'line_number', 'dues': 'net_minor + tax_minor'}
    ) }}
{%- endmacro %}


{#- The state of an invoice after one more block. -#}
{% macro invoice_after_block() -%}
    {{ with_value(
        'wanted',
        "list_transform("
            ~ lefts_of_lines("state['dues']", "block['line_numbers']")
            ~ ', lambda each: greatest(each, 0))',
        with_value(
            'most',
            "least(state['balances'][block['block_number']], state['total'])",
            with_value('of_lines', _paid_in_order(), _state_less_paid())
        )
    ) }}
{%- endmacro %}


{#- What the block pays of each line: all that is wanted of the first ones. -#}
{% macro _paid_in_order() -%}
    case
        when list_sum(wanted) <= most then wanted
        else list_transform(wanted, lambda each, place: greatest(0, least(
            each, most - coalesce(list_sum(list_slice(wanted, 1, place - 1)), 0)
        )))
    end
{%- endmacro %}


{% macro _state_less_paid() -%}
    struct_pack(
        dues := list_transform(state['dues'], lambda each, place: each - of_lines[place]),
        total := state['total'] - list_sum(of_lines),
        balances := list_transform(state['balances'], lambda each, place: each
            - case when place = block['block_number'] then list_sum(of_lines) else 0 end),
        draws := list_append(state['draws'], struct_pack(
            block_number := block['block_number'], of_lines := of_lines
        ))
    )
{%- endmacro %}
