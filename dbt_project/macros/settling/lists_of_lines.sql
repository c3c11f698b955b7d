{#- A list of values in the order of a column: of pairs that are sorted as a list, at a third of
    the cost of sorting rows. -#}
{% macro listed(value, order) -%}
    list_transform(
        list_sort(list(struct_pack(place := {{ order }}, value := {{ value }}))),
        lambda pair: pair['value']
    )
{%- endmacro %}


{#- What is left of the lines that something falls on; nothing of the others. Of the whole
    invoice, no line is looked for.

    lefts    SQL of a list with what is left of each line of `invoice`
    numbers  SQL of the list of the numbers of these lines -#}
{% macro lefts_of_lines(lefts, numbers) -%}
    case
        when len({{ numbers }}) = len({{ lefts }}) then {{ lefts }}
        else list_transform({{ lefts }}, lambda each, place: case
            when list_contains({{ numbers }}, invoice['line_numbers'][place]) then each
            else 0
        end)
    end
{%- endmacro %}


{#- Invoices that have a list, which a column of another relation holds: each with the lists
    of its lines.

    lists   relation of invoice_key and the list
    name    column with the list
    values  what is listed of each line, by name of the list -#}
{% macro invoices_with_lists(invoices, lines, lists, name, values) -%}
    select
        invoices.payer_key,
        invoices.invoice_key,
        invoices.invoice_place,
        invoices.rounding,
        lines_of_invoice.* exclude (invoice_key),
        lists.{{ name }}
    from {{ invoices }} as invoices
    inner join (
        select
            invoice_key,
            {%- for list, value in values.items() %}
            {{ listed(value, 'line_number') }} as {{ list }} {{- ',' if not loop.last }}
            {%- endfor %}
        from {{ lines }}
        group by invoice_key
    ) as lines_of_invoice
        on invoices.invoice_key = lines_of_invoice.invoice_key
    inner join {{ lists }} as lists
        on invoices.invoice_key = lists.invoice_key
{%- endmacro %}


{#- The list of a payer's invoices in order, with these of their lists.

    names  columns -#}
{% macro invoices_in_order(names) -%}
    list_sort(list(struct_pack(
        invoice_place := invoice_place,
        invoice_key := invoice_key,
        rounding := rounding,
        line_numbers := line_numbers,
        {%- for name in names %}
        {{ name }} := {{ name }} {{- ',' if not loop.last }}
        {%- endfor %}
    )))
{%- endmacro %}
