{#- What a discount comes to of what is left: a percentage, or an amount. -#}
{% macro _taken_off() -%}
    {%- set of_hundred = '1' ~ '0' * 20 -%}
    {%- set low = '((_high * _value) % ' ~ of_hundred ~ ' * ' ~ '1' ~ '0' * 9
        ~ ' + _low * _value)' -%}
    case
        when kind = 'percent'
            then {{ quotient('(_high * _value)', of_hundred) }} * {{ '1' ~ '0' * 9 }}
                + {{ rounded_quotient(low, of_hundred) }}
        else {{ rounded_quotient('_value', '(' ~ minor_unit_size() ~ ' * 1000)') }}
    end
{%- endmacro %}


{#- Shares are cut down; then one unit each to the greatest remainders, the first of equals
    first. -#}
{% macro _less_allocated() -%}
    case
        when total <= 0 then lefts
        else list_transform(lefts, lambda each, place: each - {{ _share() }} - case
            when list_contains(
                list_slice(
                    list_transform(
                        list_sort(list_transform(lefts, lambda each, place: struct_pack(
                            behind := -{{ _rest_of_share(0) }}, place := place
                        ))),
                        lambda ranked: ranked.place
                    ),
                    1,
                    taken - list_sum(list_transform(lefts, lambda each: {{ _share() }}))
                ),
                place
            ) then 1
            else 0
        end)
    end
{%- endmacro %}


{#- each * taken // total, of integers of up to 27 digits, as one divides on paper: nine digits
    of `taken` at a time. -#}
{% macro _share() -%}
    ({{ quotient(_step_of_share(2), 'total') }} * {{ '1' ~ '0' * 18 }}
        + {{ quotient(_step_of_share(1), 'total') }} * {{ '1' ~ '0' * 9 }}
        + {{ quotient(_step_of_share(0), 'total') }})
{%- endmacro %}


{% macro _rest_of_share(step) -%} ({{ _step_of_share(step) }} % total) {%- endmacro %}


{% macro _step_of_share(step) -%}
    {%- set digits = quotient('taken', '1' ~ '0' * (9 * step)) ~ ' % ' ~ '1' ~ '0' * 9
        if step < 2 else quotient('taken', '1' ~ '0' * 18) -%}
    (each * ({{ digits }})
        {%- if step < 2 %} + {{ _rest_of_share(step + 1) }} * {{ '1' ~ '0' * 9 }} {%- endif %})
{%- endmacro %}
