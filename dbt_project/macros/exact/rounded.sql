{#- Rounding by the column `rounding`: `half_away` or `half_even`. -#}

{#- A quotient that was cut toward zero, with its rest, rounded. -#}
{% macro rounded_cut(cut, rest, divisor) -%}
    (
        {{ cut }} + sign({{ rest }}) * case
            when abs({{ rest }}) * 2 > {{ divisor }} then 1
            when abs({{ rest }}) * 2 < {{ divisor }} then 0
            when rounding = 'half_away' then 1
            else abs({{ cut }}) % 2
        end
    )
{%- endmacro %}


{#- A quotient of integers, of which the second is positive. -#}
{% macro rounded_integers(dividend, divisor) -%}
    {{ rounded_cut(
        quotient(dividend, divisor), '(' ~ dividend ~ ' % ' ~ divisor ~ ')', divisor
    ) }}
{%- endmacro %}


{#- one * other over divisor, which is positive; the product is never rounded. -#}
{% macro rounded_product(one, other, divisor) -%}
    {{ with_value(
        'over',
        product_over(one, other, divisor),
        rounded_cut("over['cut']", "over['rest']", divisor)
    ) }}
{%- endmacro %}


{#- A DECIMAL(38, 18) in minor units. -#}
{% macro minor_of_decimal(number) -%}
    {{ rounded_integers(units_by_text(number, 18), power_by_minor_unit(18, -1)) }}
{%- endmacro %}
