{#- A tier of a line as it stands on the invoice: decimals as text, the amount
    unrounded. -#}
{% macro tier_detail() -%}
    {
        'from_units': {{ decimal_text('from_units') }},
        'up_to_units': {{ decimal_text('up_to_units') }},
        'unit_price': {{ decimal_text('unit_price') }},
        'flat_amount': {{ decimal_text('flat_amount') }},
        'quantity': {{ decimal_text('quantity') }},
        'amount': {{ decimal_text(
            "cast(amount as varchar)"
            ~ " || lpad(cast(amount_residue as varchar), 18, '0')"
        ) }}
    }
{%- endmacro %}
