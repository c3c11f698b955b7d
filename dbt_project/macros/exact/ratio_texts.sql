{#- An amount of `with_product` and its like, rounded once to a currency's minor unit, as
    DECIMAL(38, 15); null beyond the 23 digits that an amount has before the point. It is
    never negative. `rounding` is half_away or half_even. -#}
{% macro rounded_ratio(name, minor_unit_digits, rounding) -%}
    {%- set minor = power_of_ten('(33 - ' ~ minor_unit_digits ~ ')') -%}
    {%- set major = power_of_ten(minor_unit_digits) -%}
    {%- set left = '(' ~ name ~ '_units % ' ~ minor ~ ')' -%}
    {%- set cut = quotient(name ~ '_units', minor) -%}
    {%- set units -%}
    ({{ name }}_whole * {{ major }} + {{ cut }} + case
        when {{ left }} * 2 > {{ minor }} then 1
        when {{ left }} * 2 < {{ minor }} then 0
        when {{ rounding }} = 'half_away' or {{ name }}_rest > 0 then 1
        else ({{ name }}_whole * {{ major }} + {{ cut }}) % 2
    end)
    {%- endset -%}
    case
        when {{ units }} < {{ '1' ~ '0' * 23 }} * {{ major }}
            then {{ decimal_of_units('(' ~ units ~ ' * '
                ~ power_of_ten('(15 - ' ~ minor_unit_digits ~ ')') ~ ')', 15) }}
    end
{%- endmacro %}


{#- The same unrounded, as text: exact, or half away at 18 digits where a quotient does not
    end. -#}
{% macro ratio_text(name, divisor) -%}
    {%- set divisor = '(' ~ divisor ~ ')' -%}
    {#- Seventeen digits more, in two steps: a rest may have 28 digits. -#}
    {%- set first = '(' ~ name ~ '_rest * ' ~ '1' ~ '0' * 9 ~ ')' -%}
    {%- set second = '((' ~ first ~ ' % ' ~ divisor ~ ') * ' ~ '1' ~ '0' * 8 ~ ')' -%}
    {%- set units = "lpad(cast(" ~ name ~ "_units as varchar), 33, '0')" -%}
    rtrim(rtrim(
        case
            when {{ name }}_rest = 0
                then cast({{ name }}_whole as varchar) || '.' || {{ units }}
            when {{ second }} % {{ divisor }} = 0
                then cast({{ name }}_whole as varchar) || '.' || {{ units }}
                || lpad(cast({{ quotient(first, divisor) }} as varchar), 9, '0')
                || lpad(cast({{ quotient(second, divisor) }} as varchar), 8, '0')
            else {{ _rounded_text(name ~ '_whole',
                quotient('(' ~ name ~ '_units + ' ~ '5' ~ '0' * 14 ~ ')', '1' ~ '0' * 15)) }}
        end, '0'
    ), '.')
{%- endmacro %}


{#- A quantity that has so much before the point, so many 10^-18 after it, and so many parts
    of these, as text. -#}
{% macro units_text(whole_part, units, remainder, divisor) -%}
    {%- set more = remainder ~ ' * ' ~ '1' ~ '0' * 18 -%}
    {%- set digits = 'cast(' ~ whole_part ~ " as varchar) || '.' || lpad(cast(" ~ units
        ~ " as varchar), 18, '0')" -%}
    rtrim(rtrim(
        case
            when {{ remainder }} = 0 then {{ digits }}
            when ({{ more }}) % {{ divisor }} = 0
                then {{ digits }}
                || lpad(cast({{ quotient('(' ~ more ~ ')', divisor) }} as varchar), 18, '0')
            else {{ _rounded_text(whole_part, '(' ~ units
                ~ ' + case when ' ~ remainder ~ ' * 2 >= ' ~ divisor ~ ' then 1 else 0 end)') }}
        end, '0'
    ), '.')
{%- endmacro %}


{#- 10^-18 that may be one whole. -#}
{% macro _rounded_text(whole_part, units) -%}
    cast(
        {{ whole_part }} + {{ quotient('(' ~ units ~ ')', '1' ~ '0' * 18) }} as varchar
    ) || '.' || lpad(cast(({{ units }}) % {{ '1' ~ '0' * 18 }} as varchar), 18, '0')
{%- endmacro %}
