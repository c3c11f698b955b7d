{#- Blocks of credit in the order in which they pay, numbered from 1 for each payer. -#}
{% macro credits_in_order(credits) -%}
    select
        *,
        {{ minor_units('amount') }} as balance_minor,
        row_number() over (
            partition by payer_key
            order by
                priority,
                expires_at asc nulls last,
                cost_basis,
                effective_at asc nulls first,
                credit_id
        ) as block_number
    from {{ credits }}
{%- endmacro %}


{#- Step 11: the lines that each block may pay. Its currency is that of the invoice, and at
    the end of the invoice's period it is effective, not expired and not voided; an invoice
    without a period has all blocks in time.

    invoices  relation of invoices to settle
    lines     relation of lines
    blocks    relation of `credits_in_order` -#}
{% macro lines_of_credits(invoices, lines, blocks) -%}
    select
        lines.invoice_key,
        lines.line_number,
        blocks.block_number
    from {{ lines }} as lines
    inner join {{ invoices }} as invoices
        on lines.invoice_key = invoices.invoice_key
    inner join {{ blocks }} as blocks
        on
            invoices.payer_key = blocks.payer_key
            and invoices.currency = blocks.currency
    where
        (len(blocks.charge_codes) = 0 or list_contains(blocks.charge_codes, lines.charge_code))
        and (len(blocks.kinds) = 0 or list_contains(blocks.kinds, lines.kind))
        and coalesce(blocks.effective_at <= invoices.period_end_at, true)
        and coalesce(blocks.expires_at >= invoices.period_end_at, true)
        and coalesce(blocks.voided_at > invoices.period_end_at, true)
{%- endmacro %}
