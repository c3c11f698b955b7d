{#- Exact money. A bare product of a quantity and a price needs up to 68 digits,
    and there are 38: the factors are taken apart into integers, as one does on
    paper. Integers of 128 bits raise on overflow, which makes the amount null, and
    their quotient is exact. -#}

{#- quantity DECIMAL(38, 18) times price DECIMAL(30, 15), cut toward zero after
    15 fraction digits; mul_residue has the rest. Cut, not rounded: a sum of
    rounded parts, rounded again, can miss the cent. Null beyond the 23 digits
    that an amount has before the point. -#}
{% macro mul_exact(quantity, unit_price) -%}
    {%- set quantity_fraction = fraction_units(quantity, 18) -%}
    {%- set price_fraction = fraction_units(unit_price, 15) -%}
    {%- set units -%}
    (
        {{ whole(quantity) }} * {{ units_of(unit_price, 15) }}
        + {{ quotient(
            '(' ~ quantity_fraction ~ ' * ' ~ whole(unit_price) ~ ')', '1000'
        ) }}
        + {{ quotient(
            '(' ~ quantity_fraction ~ ' * ' ~ price_fraction ~ ')',
            '1000000000000000000'
        ) }}
        + {{ quotient(
            _mul_carry(quantity, unit_price), '1000000000000000000'
        ) }}
    )
    {%- endset -%}
    {{ attempt(amount_of(units)) }}
{%- endmacro %}


{#- What mul_exact cut off, in units of 10^-33; less than 10^18 of them. -#}
{% macro mul_residue(quantity, unit_price) -%}
    cast(
        {{ _mul_carry(quantity, unit_price) }} % 1000000000000000000 as bigint
    )
{%- endmacro %}


{% macro _mul_carry(quantity, unit_price) -%}
    {%- set quantity_fraction = fraction_units(quantity, 18) -%}
    {%- set price_fraction = fraction_units(unit_price, 15) -%}
    (
        ({{ quantity_fraction }} * {{ whole(unit_price) }})
        % 1000 * 1000000000000000
        + ({{ quantity_fraction }} * {{ price_fraction }}) % 1000000000000000000
    )
{%- endmacro %}


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


{#- An amount rounded once, half away from zero, to a currency's minor unit; null
    where what it is rounded to is no amount any more. -#}
{% macro round_to_minor_unit(amount, minor_unit_digits) -%}
    {%- set minor_unit -%}
    cast('1' || repeat('0', 15 - {{ minor_unit_digits }}) as {{ wide_integer() }})
    {%- endset -%}
    {%- set minor_units = div_round(units_of(amount, 15), minor_unit) -%}
    {{ attempt(amount_of('(' ~ minor_units ~ ' * ' ~ minor_unit ~ ')')) }}
{%- endmacro %}
