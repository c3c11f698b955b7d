{#- Exact integers, rounded. -#}

{#- Integer division, half away from zero; the divisor is positive. -#}
{% macro div_round(dividend, divisor) -%}
    (
        {{ quotient(dividend, divisor) }}
        + case
            when
                abs({{ dividend }} % {{ divisor }})
                >= {{ divisor }} - abs({{ dividend }} % {{ divisor }})
                then sign({{ dividend }})
            else 0
        end
    )
{%- endmacro %}
