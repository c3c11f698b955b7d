{#- What each block paid of a payer's invoices, and what it has left.

    blocks  relation of `credits_in_order` -#}
{% macro settled_credits(invoices, lines, blocks) -%}
    select
        blocks.*,
        coalesce(sums.minor, 0) as drawn_minor,
        blocks.balance_minor - coalesce(sums.minor, 0) as left_minor
    from {{ blocks }} as blocks
    left join (
        select
            payer_key,
            part['block_number'] as block_number,
            cast(sum(part['minor']) as {{ wide_integer() }}) as minor
        from (
            select
                invoices.payer_key,
                unnest(lines.credit_parts) as part
            from {{ lines }} as lines
            inner join {{ invoices }} as invoices
                on lines.invoice_key = invoices.invoice_key
        ) as parts
        group by payer_key, part['block_number']
    ) as sums
        on
            blocks.payer_key = sums.payer_key
            and blocks.block_number = sums.block_number
{%- endmacro %}
