{#- The columns of each kind of step; `plan_expression` says what they are. -#}

{% macro _property_columns(step, name) -%}
    properties[{{ sql_text(name) }}] as _{{ step }}_t,
    case
        when properties[{{ sql_text(name) }}] is null then 'missing_property'
    end as _{{ step }}_r
{%- endmacro %}


{% macro _text_columns(step, text) -%}
    {{ sql_text(text) }} as _{{ step }}_t,
    cast(null as varchar) as _{{ step }}_r
{%- endmacro %}


{% macro _literal_columns(step, text) -%}
    cast('{{ text | replace('.', '') }}' as {{ wide_integer() }}) as _{{ step }}_m,
    {{ (text.split('.') + [''])[1] | length }} as _{{ step }}_e,
    cast(null as varchar) as _{{ step }}_r
{%- endmacro %}


{% macro _digit_columns(step, of) -%}
    {{ _digits('_' ~ of ~ '_t') }} as _{{ step }}_s,
    {{ _digit_places('_' ~ of ~ '_t') }} as _{{ step }}_p
{%- endmacro %}


{% macro _digits(text) -%}
    case when {{ is_number(text) }} then {{ significant_digits(text) }} end
{%- endmacro %}


{% macro _digit_places(text) -%}
    case when {{ is_number(text) }} then {{ _places_of(text) }} end
{%- endmacro %}


{% macro _number_columns(step, read, of) -%}
    {%- set s, p, m = '_' ~ read ~ '_s', '_' ~ read ~ '_p', '_' ~ step ~ '_m' -%}
    {{ _number_m('_' ~ of ~ '_t', s, p) }} as {{ m }},
    {{ _number_e(s, p) }} as _{{ step }}_e,
    {{ _number_r('_' ~ of ~ '_r', s, p, m) }} as _{{ step }}_r
{%- endmacro %}


{#- A number of more than 100 places on either side of its point is of no use. -#}
{% macro _number_m(text, s, p) -%}
    case
        when {{ s }} = '' then 0
        when length({{ s }}) <= 38 and {{ p }} between -100 and 100
            then cast(
                case when {{ text }} like '-%' then '-' else '' end || {{ s }}
                as {{ wide_integer() }}
            )
    end
{%- endmacro %}


{% macro _number_e(s, p) -%}
    case when {{ s }} = '' then 0 else length({{ s }}) - {{ p }} end
{%- endmacro %}


{% macro _number_r(reason, s, p, m) -%}
    coalesce(
        {{ reason }},
        case
            when {{ s }} is null then 'not_a_number'
            when {{ m }} is not null then null
            when {{ p }} > 20 then 'too_large'
            else 'too_precise'
        end
    )
{%- endmacro %}


{#- A number as text: no exponent, no zeros at the end. -#}
{% macro _number_text_columns(step, of) -%}
    {%- set m, e = '_' ~ of ~ '_m', '_' ~ of ~ '_e' -%}
    {%- set digits = "lpad(cast(abs(" ~ m ~ ") as varchar), greatest(cast(length(cast(abs("
        ~ m ~ ") as varchar)) as integer), " ~ e ~ " + 1), '0')" -%}
    case
        when {{ m }} = 0 then '0'
        when {{ e }} <= 0
            then cast({{ m }} as varchar) || repeat('0', -{{ e }})
        else
            case when {{ m }} < 0 then '-' else '' end
            || rtrim(
                rtrim(
                    left({{ digits }}, length({{ digits }}) - {{ e }})
                    || '.' || right({{ digits }}, {{ e }}),
                    '0'
                ),
                '.'
            )
    end as _{{ step }}_t,
    _{{ of }}_r as _{{ step }}_r
{%- endmacro %}


{#- Of several reasons an absent property is told first. -#}
{% macro _first_reason(parts) -%}
    case
        when
            {%- for part in parts %}
            {{ 'or ' if not loop.first }}_{{ part }}_r = 'missing_property'
            {%- endfor %}
            then 'missing_property'
        else coalesce(
            {%- for part in parts -%}
            _{{ part }}_r{{ ', ' if not loop.last }}
            {%- endfor -%}
            , null)
    end
{%- endmacro %}


{% macro _coalesce_columns(step, parts) -%}
    {%- for column in ('t', 'r') %}
    case
        {%- for part in parts %}
        when _{{ part }}_r is distinct from 'missing_property'
            then _{{ part }}_{{ column }}
        {%- endfor %}
        {%- if column == 'r' %}
        else 'missing_property'
        {%- endif %}
    end as _{{ step }}_{{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{% macro _concat_columns(step, parts) -%}
    {% for part in parts %}_{{ part }}_t{{ ' || ' if not loop.last }}{% endfor %} as _{{ step }}_t,
    {{ _first_reason(parts) }} as _{{ step }}_r
{%- endmacro %}


{#- Ten to a power from 0 to 38, else null. -#}
{% macro power_of_ten(exponent) -%}
    case
        when {{ exponent }} between 0 and 38
            then cast('1' || repeat('0', {{ exponent }}) as {{ wide_integer() }})
    end
{%- endmacro %}


{#- Columns e and r of a step whose m is null where 38 digits do not hold it;
    `places` says how many digits then stand before its point. -#}
{% macro _reason_column(step, parts, places) -%}
    coalesce(
        {{ _first_reason(parts) }},
        case
            when _{{ step }}_m is not null then null
            when {{ places }} > 20 then 'too_large'
            else 'too_precise'
        end
    ) as _{{ step }}_r
{%- endmacro %}


{% macro _places(of) -%}
    (length(cast(abs(_{{ of }}_m) as varchar)) - _{{ of }}_e)
{%- endmacro %}


{% macro _sum_columns(step, parts, signs) -%}
    {%- set e -%}
    {%- if parts | length == 1 -%} _{{ parts[0] }}_e
    {%- else -%} greatest(_{{ parts[0] }}_e, _{{ parts[1] }}_e) {%- endif -%}
    {%- endset -%}
    {%- set sum -%}
    {%- for part in parts -%}
        {{ ' + ' if not loop.first }}
        {{- '-' if signs[loop.index0] == -1 }}(case
            when _{{ part }}_m = 0 then 0
            else _{{ part }}_m * {{ power_of_ten('(' ~ e ~ ' - _' ~ part ~ '_e)') }}
        end)
    {%- endfor -%}
    {%- endset -%}
    {{ attempt(sum) }} as _{{ step }}_m,
    {{ e }} as _{{ step }}_e,
    {{ _reason_column(step, parts,
        'greatest(' ~ _places(parts[0]) ~ ', ' ~ _places(parts[-1]) ~ ')') }}
{%- endmacro %}


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
