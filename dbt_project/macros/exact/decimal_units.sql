{#- Decimals as integers and back, without rounding. -#}

{#- The part of a decimal before its point, as an integer. -#}
{% macro whole(number) -%}
    cast(trunc({{ number }}) as {{ wide_integer() }})
{%- endmacro %}


{#- The part of a decimal after its point, in 10^-digits (18 at most). -#}
{% macro fraction_units(number, digits) -%}
    cast(
        cast(
            {{ number }} - trunc({{ number }})
            as decimal({{ digits }}, {{ digits }})
        ) * {{ '1' ~ '0' * digits }} as {{ wide_integer() }}
    )
{%- endmacro %}


{#- A decimal counted in 10^-digits. -#}
{% macro units_of(number, digits) -%}
    (
        {{ whole(number) }} * {{ '1' ~ '0' * digits }}
        + {{ fraction_units(number, digits) }}
    )
{%- endmacro %}


{#- The same of a DECIMAL(38, digits). Digits are taken from the text, at a fourth of the cost
    of quotients; another type is rounded to this one. -#}
{% macro units_by_text(number, digits) -%}
    cast(
        replace(cast(cast({{ number }} as decimal(38, {{ digits }})) as varchar), '.', '')
        as {{ wide_integer() }}
    )
{%- endmacro %}


{#- The amount that is so many 10^-15; one of more than 23 digits before the
    point raises. -#}
{% macro amount_of(units) -%} {{ decimal_of_units(units, 15) }} {%- endmacro %}


{#- The quantity that is so many 10^-18; one of more than 20 digits before the
    point raises. -#}
{% macro quantity_of(units) -%} {{ decimal_of_units(units, 18) }} {%- endmacro %}


{#- The one text of a number: no trailing zeros. -#}
{% macro decimal_text(number) -%}
    rtrim(rtrim(cast({{ number }} as varchar), '0'), '.')
{%- endmacro %}


{#- Ten to a power from 0 to 38, else null. -#}
{% macro power_of_ten(exponent) -%}
    case
        when {{ exponent }} between 0 and 38
            then cast('1' || repeat('0', {{ exponent }}) as {{ wide_integer() }})
    end
{%- endmacro %}


{#- A decimal as an integer, and what that is to be divided by: 0.025 is 25 of 1000. -#}
{% macro integer_of_decimal(number) -%}
    cast(replace({{ decimal_text(number) }}, '.', '') as {{ wide_integer() }})
{%- endmacro %}


{% macro scale_of_decimal(number) -%}
    {{ power_of_ten("length(split_part(" ~ decimal_text(number) ~ ", '.', 2))") }}
{%- endmacro %}
