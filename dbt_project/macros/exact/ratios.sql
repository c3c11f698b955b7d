{#- Exact amounts as three integers, which no product and no sum of amounts overflows:

    <name>_whole  before the point
    <name>_units  after it, in 10^-33
    <name>_rest   what is left of a quotient, in parts of 10^-33: that many of a divisor -#}

{#- A relation with the product of a quantity and of a price DECIMAL(30, 15), and of what is
    left of the quantity (so many parts of 10^-18, of which `divisor` make one) with the
    price. The quantity is given as what it has before the point, and after it in 10^-18.
    Null where one of them is. -#}
{% macro with_product(relation, whole_part, units, remainder, divisor, price, name) -%}
    select
        * exclude (_qw, _qf, _pw, _pf, _a, _b, _units, _ra, _rest),
        _qw * _pw + {{ quotient('_a', '1' ~ '0' * 15) }} + {{ quotient('_b', '1' ~ '0' * 18) }}
        + {{ quotient('_units', '1' ~ '0' * 33) }} as {{ name }}_whole,
        _units % {{ '1' ~ '0' * 33 }} as {{ name }}_units,
        _rest as {{ name }}_rest
    from (
        select
            *,
            (_a % {{ '1' ~ '0' * 15 }}) * {{ '1' ~ '0' * 18 }}
            + (_b % {{ '1' ~ '0' * 18 }}) * {{ '1' ~ '0' * 15 }}
            + _qf * _pf
            + {{ quotient('(_pw * ' ~ remainder ~ ')', divisor) }} * {{ '1' ~ '0' * 15 }}
            + {{ quotient('(_ra * ' ~ '1' ~ '0' * 15 ~ ' + _pf * ' ~ remainder ~ ')', divisor) }}
                as _units,
            (_ra * {{ '1' ~ '0' * 15 }} + _pf * {{ remainder }}) % {{ divisor }} as _rest
        from (
            select
                *,
                _qw * _pf as _a,
                _qf * _pw as _b,
                (_pw * {{ remainder }}) % {{ divisor }} as _ra
            from (
                select
                    *,
                    {{ whole_part }} as _qw,
                    {{ units }} as _qf,
                    {{ whole(price) }} as _pw,
                    {{ fraction_units(price, 15) }} as _pf
                from {{ relation }}
            ) as factors
        ) as products
    ) as sums
{%- endmacro %}


{#- The columns of an amount that is another one and `whole_part` and `units` more. -#}
{% macro amount_plus(name, whole_part, units, into) -%}
    {%- set one = '1' ~ '0' * 33 -%}
    {{ name }}_whole + {{ whole_part }}
    + {{ quotient('(' ~ name ~ '_units + ' ~ units ~ ')', one) }} as {{ into }}_whole,
    ({{ name }}_units + {{ units }}) % {{ one }} as {{ into }}_units
{%- endmacro %}


{#- The columns of the sum of many amounts, which `with_carry` brings into their bounds; 0
    of none. -#}
{% macro sum_of_amounts(name, relation=none) -%}
    {%- set of_relation = relation ~ '.' if relation is not none else '' -%}
    {%- for part in ('whole', 'units', 'rest') %}
    cast(coalesce(sum({{ of_relation }}{{ name }}_{{ part }}), 0) as {{ wide_integer() }})
        as {{ name }}_{{ part }} {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{#- A relation whose amount has each part in its bounds again. -#}
{% macro with_carry(relation, name, divisor) -%}
    {%- set one = '1' ~ '0' * 33 -%}
    select
        * replace (
            {{ name }}_whole + {{ quotient(name ~ '_units', one) }} as {{ name }}_whole,
            {{ name }}_units % {{ one }} as {{ name }}_units
        )
    from (
        select
            * replace (
                {{ name }}_units + {{ quotient(name ~ '_rest', divisor) }} as {{ name }}_units,
                {{ name }}_rest % {{ divisor }} as {{ name }}_rest
            )
        from {{ relation }}
    ) as rests_carried
{%- endmacro %}


{#- A relation whose amount is divided by a small integer (at most 10^4), so that the rest
    counts parts of the product of both divisors. -#}
{% macro with_quotient(relation, name, divisor, small) -%}
    {%- set one = '1' ~ '0' * 18 -%}
    select
        * exclude (_high, _low) replace (
            {{ quotient(name ~ '_whole', small) }} as {{ name }}_whole,
            {{ quotient('_high', small) }} * {{ '1' ~ '0' * 15 }}
            + {{ quotient('_low', small) }} as {{ name }}_units,
            (_low % {{ small }}) * {{ divisor }} + {{ name }}_rest as {{ name }}_rest
        )
    from (
        select
            *,
            (_high % {{ small }}) * {{ '1' ~ '0' * 15 }}
            + {{ name }}_units % {{ '1' ~ '0' * 15 }} as _low
        from (
            select
                *,
                ({{ name }}_whole % {{ small }}) * {{ one }}
                + {{ quotient(name ~ '_units', '1' ~ '0' * 15) }} as _high
            from {{ relation }}
        ) as wholes
    ) as units
{%- endmacro %}
