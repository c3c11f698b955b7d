{#- Parts of a whole, exactly: a product of integers of up to 27 digits, divided. -#}

{#- A value that an expression names several times and that is worked out once. -#}
{% macro with_value(name, value, expression) -%}
    list_transform([{{ value }}], lambda {{ name }}: {{ expression }})[1]
{%- endmacro %}


{#- one * other over divisor, cut toward zero, and what is left: `cut`, and `rest`, which has
    the sign of the product. `divisor` is positive. Where the product may not fit, it is
    divided as on paper, nine digits of `other` at a time. -#}
{% macro product_over(one, other, divisor) -%}
    {%- set product = '(' ~ one ~ ' * ' ~ other ~ ')' -%}
    case
        when abs({{ one }}) < {{ '1' ~ '0' * 18 }} and abs({{ other }}) < {{ '1' ~ '0' * 18 }}
            then struct_pack(
                cut := {{ quotient(product, divisor) }},
                rest := {{ product }} % {{ divisor }}
            )
        else struct_pack(
            cut := {{ quotient(_digits_over(2, one, other, divisor), divisor) }}
                * {{ '1' ~ '0' * 18 }}
                + {{ quotient(_digits_over(1, one, other, divisor), divisor) }}
                * {{ '1' ~ '0' * 9 }}
                + {{ quotient(_digits_over(0, one, other, divisor), divisor) }},
            rest := {{ _rest_over(0, one, other, divisor) }}
        )
    end
{%- endmacro %}


{% macro _rest_over(step, one, other, divisor) -%}
    {{ _digits_over(step, one, other, divisor) }} % {{ divisor }}
{%- endmacro %}


{% macro _digits_over(step, one, other, divisor) -%}
    {%- set above = quotient(other, '1' ~ '0' * (9 * step)) if step else other -%}
    {%- set digits = above if step == 2 else above ~ ' % ' ~ '1' ~ '0' * 9 -%}
    ({{ one }} * ({{ digits }})
        {%- if step < 2 %} + ({{ _rest_over(step + 1, one, other, divisor) }})
            * {{ '1' ~ '0' * 9 }} {%- endif %})
{%- endmacro %}
