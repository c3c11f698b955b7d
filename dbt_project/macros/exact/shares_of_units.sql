{#- What a whole comes to in parts, in integers that no product overflows. -#}

{#- A relation with `units` * `part` // `whole` as `share`, cut down to the lower, and with the
    rest as `share_rest`, in parts of `whole`. `part` and `whole` are not negative, `whole` is
    not 0, and all have at most 27 digits. One divides as on paper: nine digits of `units` at
    a time. Rows whose products are small have `narrow_part` and `narrow_whole` instead: one
    quotient, which costs a tenth. -#}
{% macro with_share_of_units(relation, units, part, whole) -%}
    {%- set step = '1' ~ '0' * 9 -%}
    {%- set size = 'case when ' ~ part ~ ' is not null then abs(' ~ units ~ ') end' -%}
    {%- set narrow = '(cast(case when narrow_part is not null then ' ~ units
        ~ ' end as bigint) * narrow_part)' -%}
    select
        * exclude (_high, _middle, _low, _share, _rest),
        {{ _signed('share', units, '_share', '_rest', whole) }} as share,
        {{ _signed('rest', units, '_share', '_rest', whole) }} as share_rest
    from (
        select
            * exclude (_left),
            coalesce(
                {{ quotient('abs(' ~ narrow ~ ')', 'narrow_whole') }},
                _high * {{ '1' ~ '0' * 18 }} + _middle * {{ step }} + {{ quotient('_left', whole) }}
            ) as _share,
            coalesce(abs({{ narrow }}) % narrow_whole, _left % {{ whole }}) as _rest
        from (
            select
                * exclude (_left) replace ({{ quotient('_left', whole) }} as _middle),
                {{ part }} * _low + (_left % {{ whole }}) * {{ step }} as _left
            from (
                select
                    * replace ({{ quotient('(' ~ part ~ ' * _high)', whole) }} as _high),
                    {{ part }} * _middle
                    + ({{ part }} * _high % {{ whole }}) * {{ step }} as _left
                from (
                    select
                        *,
                        {{ quotient('(' ~ size ~ ')', '1' ~ '0' * 18) }} as _high,
                        {{ quotient('(' ~ size ~ ')', step) }} % {{ step }} as _middle,
                        ({{ size }}) % {{ step }} as _low
                    from {{ relation }}
                ) as digits
            ) as highest_digits
        ) as higher_digits
    ) as all_digits
{%- endmacro %}


{#- The share, or the rest, of units that may be negative. -#}
{% macro _signed(what, units, share, rest, whole) -%}
    case
        when {{ units }} >= 0 then {{ share if what == 'share' else rest }}
        when {{ rest }} > 0 then
            {{ '-' ~ share ~ ' - 1' if what == 'share'
                else 'coalesce(narrow_whole, ' ~ whole ~ ') - ' ~ rest }}
        else {{ '-' ~ share if what == 'share' else '0' }}
    end
{%- endmacro %}


{#- A relation with a decimal as a machine word, null where it is no whole number. -#}
{% macro with_whole_number(relation, number, name) -%}
    select
        *,
        case
            when {{ number }} = try_cast({{ number }} as bigint)
                then try_cast({{ number }} as bigint)
        end as {{ name }}
    from {{ relation }}
{%- endmacro %}
