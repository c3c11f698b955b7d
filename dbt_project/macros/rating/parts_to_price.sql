{#- Parts of lines in units of the price, less the units of discounts, once for all parts of
    a charge, in order. With the columns of their price, and of their line.

    parts      relation of `parts_converted`
    prices     relation of `price_terms`
    lines      relation of lines
    discounts  relation of discounts of charges; none if there are none -#}
{% macro parts_to_price(parts, prices, lines, discounts=none) -%}
    select
        parts.line_key,
        parts.part_number,
        parts.is_event,
        lines.group_key,
        lines.event_count,
        prices.* exclude (
            quantity, minimum_amount, maximum_amount, commitment_amount,
            commitment_overage_factor, commitment_true_up
        ),
        {%- if discounts is none %}
        parts.quantity,
        parts.remainder
        {%- else %}
        case
            when parts.quantity is null or {{ _is_before('pot') }} then parts.quantity
            when {{ _is_until('pot') }} then 0
            else {{ total_above('until', 'pot') }}
        end as quantity,
        case
            when {{ _is_before('pot') }} then parts.remainder
            when {{ _is_until('pot') }} then 0
            else until_rest
        end as remainder
        {%- endif %}
    from {{ parts if discounts is none else '(' ~ with_running_total(
        '(' ~ _parts_with_pots(parts, discounts) ~ ')', 'charge_number', 'line_key, part_number'
    ) ~ ')' }} as parts
    inner join {{ lines }} as lines
        on parts.line_key = lines.line_key
    inner join {{ prices }} as prices
        on parts.price_number = prices.price_number
{%- endmacro %}


{#- Whether a pot is empty before a part comes, and whether it takes all of the part. -#}
{% macro _is_before(pot) -%}
    ({{ pot }}_whole is null
        or (before_whole, before_units, before_rest) >= ({{ pot }}_whole, {{ pot }}_units, 0))
{%- endmacro %}


{% macro _is_until(pot) -%}
    (until_whole, until_units, until_rest) <= ({{ pot }}_whole, {{ pot }}_units, 0)
{%- endmacro %}


{% macro _parts_with_pots(parts, discounts) -%}
    {%- set one = '1' ~ '0' * 18 -%}
    select
        parts.*,
        units_off.pot_whole,
        units_off.pot_units
    from {{ parts }} as parts
    left join (
        select
            charge_number,
            sum({{ whole('value') }})
            + {{ quotient('sum(' ~ fraction_units('value', 18) ~ ')', one) }} as pot_whole,
            sum({{ fraction_units('value', 18) }}) % {{ one }} as pot_units
        from {{ discounts }}
        where kind = 'units'
        group by charge_number
    ) as units_off
        on parts.charge_number = units_off.charge_number
{%- endmacro %}
