{#- Sums of decimals that no number of rows overflows, from the columns of `wide_sum`
    or `sum_of_sums`. A sum of quantities of many customers may need more digits than
    any of these quantities. -#}

{#- What such a sum has before its point, and the 10^-18 after it, as two columns. -#}
{% macro sum_in_parts(name) -%}
    {{ whole_of_sum() }} as {{ name }}_whole,
    {{ units_of_sum() }} as {{ name }}_units
{%- endmacro %}


{#- Such a sum of amounts; null beyond the 23 digits that an amount has before the
    point. -#}
{% macro amount_of_sum() -%}
    case
        when large_whole is null then value_sum
        else {{ attempt(amount_of(
            '(' ~ whole_of_sum() ~ ' * 1000000000000000 + '
            ~ quotient(units_of_sum(), '1000') ~ ')'
        )) }}
    end
{%- endmacro %}


{#- Two columns of `sum_in_parts` as a quantity; null beyond its 20 digits. -#}
{% macro quantity_of_parts(name) -%}
    {{ attempt(quantity_of(
        '(' ~ name ~ '_whole * 1000000000000000000 + ' ~ name ~ '_units)'
    )) }}
{%- endmacro %}


{#- The difference of two such sums, exact also where they are no quantities. -#}
{% macro difference_of_parts(name, other) -%}
    {{ attempt(quantity_of(
        '((' ~ name ~ '_whole - ' ~ other ~ '_whole) * 1000000000000000000 + ('
        ~ name ~ '_units - ' ~ other ~ '_units))'
    )) }}
{%- endmacro %}
