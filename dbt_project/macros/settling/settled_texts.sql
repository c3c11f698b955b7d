{#- What settling comes to, as texts; null beyond the digits of an amount. -#}

{% macro settled_lines_as_text(invoices, lines) -%}
    select
        lines.invoice_key,
        lines.line_number,
        lines.kind,
        {{ minor_as_text('lines.amount_minor') }} as amount,
        {{ minor_as_text('(lines.amount_minor - lines.net_minor)') }} as discount_amount,
        {{ minor_as_text('lines.net_minor') }} as net_amount,
        {{ minor_as_text('lines.tax_minor') }} as tax_amount,
        {{ minor_as_text('lines.credit_minor') }} as credit_amount
    from {{ lines }} as lines
    inner join {{ invoices }} as invoices
        on lines.invoice_key = invoices.invoice_key
{%- endmacro %}


{% macro settled_discounts_as_text(discounts) -%}
    select
        payer_key,
        discount_id,
        {{ minor_as_text('minor') }} as amount,
        {{ minor_as_text('left_minor') }} as "left"
    from {{ discounts }}
{%- endmacro %}


{% macro settled_taxes_as_text(taxes) -%}
    select
        invoice_key,
        tax_code,
        {{ minor_as_text('base_minor') }} as base,
        {{ minor_as_text('tax_minor') }} as amount
    from {{ taxes }}
{%- endmacro %}


{% macro settled_credits_as_text(credits) -%}
    select
        payer_key,
        block_number,
        credit_id,
        {{ minor_as_text('drawn_minor') }} as drawn,
        {{ minor_as_text('left_minor') }} as balance
    from {{ credits }}
{%- endmacro %}


{% macro settled_totals_as_text(totals) -%}
    select
        invoice_key,
        {{ minor_as_text('amount_minor') }} as subtotal,
        {{ minor_as_text('discount_minor') }} as discount,
        {{ minor_as_text('net_minor') }} as net,
        {{ minor_as_text('tax_minor') }} as tax,
        {{ minor_as_text('total_minor') }} as total,
        {{ minor_as_text('credit_minor') }} as credit,
        {{ minor_as_text('due_minor') }} as amount_due,
        {{ minor_as_text('credit_note_minor') }} as credit_note
    from {{ totals }}
{%- endmacro %}


{% macro minor_as_text(minor) -%} {{ decimal_text(amount_of_minor(minor)) }} {%- endmacro %}
