{#- Bounds of a price for a share of days, exactly. -#}

{#- How many minor units a price DECIMAL(30, 15) comes to for `days` of `of_days`, rounded
    once; null for no price. -#}
{% macro shared_minor_units(price, days, of_days) -%}
    {%- set units = '(' ~ units_of(price, 15) ~ ' * ' ~ days ~ ')' -%}
    {%- set divisor = '(' ~ of_days ~ ' * ' ~ minor_unit_size() ~ ')' -%}
    {{ rounded_quotient(units, divisor) }}
{%- endmacro %}


{#- So many minor units as an amount has, which is rounded to them. -#}
{% macro minor_units(amount) -%}
    {{ quotient(units_of(amount, 15), minor_unit_size()) }}
{%- endmacro %}


{#- How many 10^-15 a minor unit has. -#}
{% macro minor_unit_size() -%} {{ power_by_minor_unit(15, -1) }} {%- endmacro %}


{#- Ten to a power that the digits of the minor unit are added to, or taken from. These are all
    the digits that currencies have. -#}
{% macro power_by_minor_unit(exponent, sign) -%}
    case minor_unit_digits
        {%- for digits in (2, 0, 3, 4) %}
        when {{ digits }}
            then cast({{ '1' ~ '0' * (exponent + sign * digits) }} as {{ wide_integer() }})
        {%- endfor %}
    end
{%- endmacro %}


{#- A quotient of integers that are not negative, by the column `rounding`. -#}
{% macro rounded_quotient(dividend, divisor) -%}
    (
        {{ quotient(dividend, divisor) }} + case
            when ({{ dividend }} % {{ divisor }}) * 2 > {{ divisor }} then 1
            when ({{ dividend }} % {{ divisor }}) * 2 < {{ divisor }} then 0
            when rounding = 'half_away' then 1
            else {{ quotient(dividend, divisor) }} % 2
        end
    )
{%- endmacro %}


{#- A relation with a price for a share of days, as an amount `<name>_…` whose rest counts
    parts of `of_days`. -#}
{% macro with_share(relation, price, days, of_days, name) -%}
    {%- set left = '(_units % ' ~ of_days ~ ' * ' ~ '1' ~ '0' * 18 ~ ')' -%}
    select
        * exclude (_units),
        {{ quotient(quotient('_units', of_days), '1' ~ '0' * 15) }} as {{ name }}_whole,
        {{ quotient('_units', of_days) }} % {{ '1' ~ '0' * 15 }} * {{ '1' ~ '0' * 18 }}
        + {{ quotient(left, of_days) }} as {{ name }}_units,
        {{ left }} % {{ of_days }} as {{ name }}_rest
    from (
        select
            *,
            {{ units_of(price, 15) }} * {{ days }} as _units
        from {{ relation }}
    ) as prices_of_days
{%- endmacro %}


{#- A relation with one amount less another, as `<name>_…`; 0 where the other is greater. The
    rest counts parts of both divisors. -#}
{% macro with_excess(relation, one, one_divisor, other, other_divisor, name) -%}
    {%- set borrowed = '(_rest < 0)' -%}
    select
        * exclude (_whole, _units, _rest),
        {%- for part in ('whole', 'units', 'rest') %}
        case when _whole < 0 then 0 else _{{ part }} end as {{ name }}_{{ part }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            * replace (
                case when _units < 0 then _whole - 1 else _whole end as _whole,
                case when _units < 0 then _units + {{ '1' ~ '0' * 33 }} else _units end as _units
            )
        from (
            select
                * replace (
                    case when {{ borrowed }} then _units - 1 else _units end as _units,
                    case when {{ borrowed }} then _rest + {{ one_divisor }} * {{ other_divisor }}
                        else _rest end as _rest
                )
            from (
                select
                    *,
                    {{ one }}_whole - {{ other }}_whole as _whole,
                    {{ one }}_units - {{ other }}_units as _units,
                    {{ one }}_rest * {{ other_divisor }} - {{ other }}_rest * {{ one_divisor }}
                        as _rest
                from {{ relation }}
            ) as differences
        ) as rests_borrowed
    ) as units_borrowed
{%- endmacro %}
