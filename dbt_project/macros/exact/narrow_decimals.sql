{#- Decimals of few digits, which an engine multiplies in one step: quantities as
    DECIMAL(18, 6), prices as DECIMAL(20, 15), amounts as DECIMAL(38, 21). A number that
    does not fit is never rounded: it is not narrow. -#}

{#- A number that is not negative, rounded to 6 digits: the only quotient that is needed to
    tell whether it fits a narrow quantity. What has too many digits before the point becomes
    10^12, which no narrow quantity is. -#}
{% macro rounded_to_narrow(number) -%}
    round(least({{ number }}, {{ '1' ~ '0' * 12 }}), 6)
{%- endmacro %}


{#- Whether a number fits a narrow quantity; `rounded` is that of it. -#}
{% macro is_narrow_quantity(number, rounded) -%}
    ({{ number }} < {{ '1' ~ '0' * 12 }} and {{ rounded }} = {{ number }})
{%- endmacro %}


{#- A narrow amount as an amount of `ratios.sql`. Digits are taken from the text, at a
    third of the cost of quotients. -#}
{% macro ratio_of_narrow(amount, name) -%}
    {%- set text = 'cast(' ~ amount ~ ' as varchar)' -%}
    cast(split_part({{ text }}, '.', 1) as {{ wide_integer() }}) as {{ name }}_whole,
    cast(split_part({{ text }}, '.', 2) || '{{ '0' * 12 }}' as {{ wide_integer() }})
        as {{ name }}_units,
    cast(0 as {{ wide_integer() }}) as {{ name }}_rest
{%- endmacro %}


{#- A narrow quantity in the same way, with units of 10^-18. -#}
{% macro ratio_of_narrow_quantity(quantity, name) -%}
    {{ whole(quantity) }} as {{ name }}_whole,
    {{ fraction_units(quantity, 6) }} * {{ '1' ~ '0' * 12 }} as {{ name }}_units,
    cast(0 as {{ wide_integer() }}) as {{ name }}_rest
{%- endmacro %}


{#- A narrow amount rounded half away to the minor unit, as DECIMAL(38, 15). The digits are
    a column, and an engine wants them said: these are all that currencies have. -#}
{% macro rounded_narrow(amount, minor_unit_digits) -%}
    case {{ minor_unit_digits }}
        {%- for digits in (2, 0, 3, 4) %}
        when {{ digits }} then cast(round({{ amount }}, {{ digits }}) as decimal(38, 15))
        {%- endfor %}
    end
{%- endmacro %}
