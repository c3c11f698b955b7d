{#- What a whole comes to in parts, in integers that no product overflows: all of them have at
    most 27 digits. -#}

{#- A relation with `units` * `part` // `whole` as `share`, cut down to the lower, and with the
    rest as `share_rest`, in parts of `whole`. `part` and `whole` are not negative, and `whole`
    is not 0. As one divides on paper: nine digits of `units` at a time. -#}
{% macro with_share_of_units(relation, units, part, whole) -%}
    {%- set step = '1' ~ '0' * 9 -%}
    {%- set size = 'abs(' ~ units ~ ')' -%}
    select
        * exclude (_high, _middle, _low) replace (
            case
                when {{ units }} >= 0 then share
                when share_rest > 0 then -share - 1
                else -share
            end as share,
            case
                when {{ units }} >= 0 or share_rest = 0 then share_rest
                else {{ whole }} - share_rest
            end as share_rest
        )
    from (
        select
            * exclude (_left),
            _high * {{ '1' ~ '0' * 18 }} + _middle * {{ step }}
            + {{ quotient('_left', whole) }} as share,
            _left % {{ whole }} as share_rest
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
                        {{ quotient(size, '1' ~ '0' * 18) }} as _high,
                        {{ quotient(size, step) }} % {{ step }} as _middle,
                        {{ size }} % {{ step }} as _low
                    from {{ relation }}
                ) as digits
            ) as highest_digits
        ) as higher_digits
    ) as all_digits
{%- endmacro %}
