{#- Products, quotients and rounded numbers of an expression. -#}

{#- Zeros at the end are taken off, because 38 digits are soon full of them. -#}
{% macro _without_zeros(step, m, e) -%}
    {%- set zeros -%}
    (
        length(cast({{ m }} as varchar))
        - length(rtrim(cast({{ m }} as varchar), '0'))
    )
    {%- endset -%}
    case
        when {{ m }} = 0 then 0
        else {{ quotient(m, power_of_ten(zeros)) }}
    end as _{{ step }}_m,
    case when {{ m }} = 0 then 0 else {{ e }} - {{ zeros }} end as _{{ step }}_e
{%- endmacro %}


{% macro _product_columns(step, left, right) -%}
    {{ attempt('_' ~ left ~ '_m * _' ~ right ~ '_m') }} as _{{ step }}_q
    ---
    {{ _without_zeros(
        step, '_' ~ step ~ '_q', '_' ~ left ~ '_e + _' ~ right ~ '_e'
    ) }},
    {{ _reason_column(step, [left, right],
        _places(left) ~ ' + ' ~ _places(right)) }}
{%- endmacro %}


{#- Half away from zero at 18 digits. The dividend gets so many zeros as the
    quotient needs, half of them after a first division, because 38 digits would
    not hold them at once. -#}
{% macro _quotient_columns(step, left, right) -%}
    {%- set n, d = '_' ~ left ~ '_m', '_' ~ right ~ '_m' -%}
    {%- set w, x, z = '_' ~ step ~ '_w', '_' ~ step ~ '_x', '_' ~ step ~ '_z' -%}
    {%- set by, q = '_' ~ step ~ '_d', '_' ~ step ~ '_q' -%}
    {%- set first = power_of_ten(quotient(z, '2')) -%}
    {%- set second = power_of_ten(z ~ ' - ' ~ quotient(z, '2')) -%}
    case when {{ d }} != 0 then
        {{ attempt('abs(' ~ d ~ ') * ' ~ power_of_ten(
            'greatest(_' ~ left ~ '_e - _' ~ right ~ '_e - 18, 0)')) }}
    end as {{ by }},
    greatest(18 - _{{ left }}_e + _{{ right }}_e, 0) as {{ z }}
    ---
    {{ quotient('abs(' ~ n ~ ')', by) }} as {{ w }},
    abs({{ n }}) % {{ by }} as {{ x }}
    ---
    case
        when {{ n }} = 0 and {{ d }} != 0 then 0
        else {{ attempt(
            'sign(' ~ n ~ ') * sign(' ~ d ~ ') * ('
            ~ w ~ ' * ' ~ first ~ ' * ' ~ second
            ~ ' + ' ~ quotient('(' ~ x ~ ' * ' ~ first ~ ')', by) ~ ' * ' ~ second
            ~ ' + ' ~ div_round(
                '((' ~ x ~ ' * ' ~ first ~ ') % ' ~ by ~ ' * ' ~ second ~ ')', by
            ) ~ ')'
        ) }}
    end as {{ q }}
    ---
    {{ _without_zeros(step, q, '18') }},
    coalesce(
        {{ _first_reason([left, right]) }},
        case
            when {{ d }} = 0 then 'not_a_number'
            when {{ q }} is not null then null
            when {{ _places(left) }} - {{ _places(right) }} >= 20 then 'too_large'
            else 'too_precise'
        end
    ) as _{{ step }}_r
{%- endmacro %}


{#- A digit of no meaning is cut off by integers: -1.2 is -1 by ceil, -2 by floor. -#}
{% macro _rounded_columns(step, of, how, digits) -%}
    {%- set m, kept = '_' ~ of ~ '_m', '(' ~ digits ~ ')' -%}
    {%- set unit = power_of_ten('(_' ~ of ~ '_e - ' ~ kept ~ ')') -%}
    case
        when _{{ of }}_e <= {{ kept }} then {{ m }}
        when _{{ of }}_e - {{ kept }} > 38
            then
                {%- if how == 'round' %} case when {{ m }} is not null then 0 end
                {%- else %} case
                    when {{ m }} {{ '> 0' if how == 'ceil' else '< 0' }}
                        then {{ 1 if how == 'ceil' else -1 }}
                    when {{ m }} is not null then 0
                end
                {%- endif %}
        {%- if how == 'round' %}
        else {{ div_round(m, unit) }}
        {%- else %}
        else {{ quotient(m, unit) }} + case
            when {{ m }} % {{ unit }} {{ '> 0' if how == 'ceil' else '< 0' }}
                then {{ 1 if how == 'ceil' else -1 }}
            else 0
        end
        {%- endif %}
    end as _{{ step }}_m,
    least(_{{ of }}_e, {{ kept }}) as _{{ step }}_e,
    _{{ of }}_r as _{{ step }}_r
{%- endmacro %}
