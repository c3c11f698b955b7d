{#- Sums of decimals that no number of rows overflows. A sum of quantities of many
    customers may need more digits than any of these quantities. -#}

{#- The sum of decimals, in columns that no number of rows overflows: values of 10
    and more digits before the point are added apart, as integers. -#}
{% macro wide_sum(value) -%}
    {%- set is_large = 'abs(' ~ value ~ ') >= 10000000000' -%}
    sum(case when not {{ is_large }} then {{ value }} end) as value_sum,
    sum(case when {{ is_large }} then {{ whole(value) }} end) as large_whole,
    sum(case when {{ is_large }} then {{ fraction_units(value, 18) }} end)
        as large_units
{%- endmacro %}


{#- The same columns of several such sums. -#}
{% macro sum_of_sums() -%}
    sum(value_sum) as value_sum,
    sum(large_whole) as large_whole,
    sum(large_units) as large_units
{%- endmacro %}


{#- What such a sum has before its point, and the 10^-18 after it: two integers. -#}
{% macro whole_of_sum() -%}
    (coalesce(large_whole, 0) + {{ whole('coalesce(value_sum, 0)') }})
{%- endmacro %}


{% macro units_of_sum() -%}
    (coalesce(large_units, 0) + {{ fraction_units('coalesce(value_sum, 0)', 18) }})
{%- endmacro %}


{#- Such a sum as a quantity; null beyond the 20 digits that it has before the point. -#}
{% macro quantity_of_sum() -%}
    case
        when large_whole is null then value_sum
        else {{ attempt(quantity_of(
            '(' ~ whole_of_sum() ~ ' * 1000000000000000000 + ' ~ units_of_sum() ~ ')'
        )) }}
    end
{%- endmacro %}


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
