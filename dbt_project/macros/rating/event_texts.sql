{#- Events that are priced alone, as texts; see `rated_texts.sql`. -#}
{% macro events_as_text(events) -%}
    select
        line_key,
        part_number as position,
        case
            when not is_charged or charged_quantity is distinct from quantity
                or charged_remainder != remainder
                then {{ _free_text() }}
            else '0'
        end as free,
        is_charged as charged,
        {{ ratio_text('amount', 'divisor * hundredths') }} as amount_unrounded
    from (
        {{ with_quotient('(' ~ with_carry('(select * from ' ~ events ~ ')', 'amount', 'divisor')
            ~ ')', 'amount', 'divisor', 'hundredths') }}
    ) as events_of_lines
{%- endmacro %}


{#- What is free of an event: all of it, or what was left of the free amount before it. -#}
{% macro _free_text() -%}
    {%- set one = '1' ~ '0' * 18 -%}
    {%- set units = '(case when is_charged then (pot_whole - before_whole) * ' ~ one
        ~ ' + pot_units - before_units - case when before_rest > 0 then 1 else 0 end else '
        ~ units_of('quantity', 18) ~ ' end)' -%}
    {{ units_text(quotient(units, one), '(' ~ units ~ ' % ' ~ one ~ ')',
        '(case when not is_charged then remainder when before_rest > 0 then divisor - before_rest'
        ~ ' else 0 end)', 'divisor') }}
{%- endmacro %}
