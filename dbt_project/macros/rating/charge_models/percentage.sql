{#- A part of the value of each event, and an amount for each. Where all events have one
    rate, their total is priced. -#}
{% macro default__percentage_price_amounts(parts, lines, events) -%}
    {%- if events is not none %}
    select
        line_key,
        part_number,
        amount_whole,
        amount_units,
        amount_rest
    from {{ events }}
    union all
    {%- endif %}
    select
        line_key,
        part_number,
        {{ amount_plus('amount', _fixed_whole(), _fixed_units(), 'amount') }},
        amount_rest
    from (
        {{ with_product(
            '(select * from ' ~ parts
            ~ " as parts_of_all where charge_model = 'percentage' and not is_event)",
            whole('quantity'), fraction_units('quantity', 18), 'remainder', 'divisor',
            'rate_percent', 'amount'
        ) }}
    ) as parts_with_product
{%- endmacro %}


{#- The fixed amounts of all events, in hundredths. -#}
{% macro _fixed_whole() -%}
    (event_count * {{ hundredths_whole('fixed_amount') }} + {{ quotient(
        '(event_count * ' ~ hundredths_units('fixed_amount') ~ ')', '1' ~ '0' * 33
    ) }})
{%- endmacro %}


{% macro _fixed_units() -%}
    (event_count * {{ hundredths_units('fixed_amount') }} % {{ '1' ~ '0' * 33 }})
{%- endmacro %}
