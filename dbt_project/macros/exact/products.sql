{#- Parts of a whole, exactly: a product of integers of up to 27 digits, divided. -#}

{#- A value that an expression names several times and that is worked out once. -#}
{% macro with_value(name, value, expression) -%}
    list_transform([{{ value }}], lambda {{ name }}: {{ expression }})[1]
{%- endmacro %}


{#- one * other over divisor, cut toward zero, and what is left: `cut`, and `rest`, which has
    the sign of the product. `divisor` is positive. Small numbers are divided as integers of 64
    bits, at a fourth of the cost. Where the product may not fit, it is divided as on paper, nine
    digits of `other` at a time. -#}
{% macro product_over(one, other, divisor) -%}
    {%- set product = '(' ~ one ~ ' * ' ~ other ~ ')' -%}
    {%- set small = '(' ~ _small(one) ~ ' * ' ~ _small(other) ~ ')' -%}
    {%- set whole = wide_integer() -%}
    case
        when
            {{ _is_below(one, 9) }} and {{ _is_below(other, 9) }}
            and {{ _is_below(divisor, 18) }}
            then struct_pack(
                cut := cast({{ quotient(small, _small(divisor)) }} as {{ whole }}),
                rest := cast({{ small }} % {{ _small(divisor) }} as {{ whole }})
            )
        when {{ _is_below(one, 18) }} and {{ _is_below(other, 18) }}
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


{% macro _small(number) -%} cast({{ number }} as bigint) {%- endmacro %}


{% macro _is_below(number, digits) -%} abs({{ number }}) < {{ '1' ~ '0' * digits }} {%- endmacro %}


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
