{#- Numbers that an expression reads, and texts that it makes of them. -#}

{% macro _literal_columns(step, text) -%}
    cast('{{ text | replace('.', '') }}' as {{ wide_integer() }}) as _{{ step }}_m,
    {{ (text.split('.') + [''])[1] | length }} as _{{ step }}_e,
    cast(null as varchar) as _{{ step }}_r
{%- endmacro %}


{#- A short number without sign and exponent is read by a cast, others by their
    digits. -#}
{% macro _digit_columns(step, of) -%}
    {%- set t, short = '_' ~ of ~ '_t', '_' ~ step ~ '_short' -%}
    regexp_full_match({{ t }}, '-?[0-9]+([.][0-9]+)?') and length({{ t }}) <= 18
        as {{ short }}
    ---
    case when not {{ short }} then {{ _digits(t) }} end as _{{ step }}_s,
    case when not {{ short }} then {{ _digit_places(t) }} end as _{{ step }}_p
{%- endmacro %}


{% macro _digits(text) -%}
    case when {{ is_number(text) }} then {{ significant_digits(text) }} end
{%- endmacro %}


{% macro _digit_places(text) -%}
    case when {{ is_number(text) }} then {{ _places_of(text) }} end
{%- endmacro %}


{% macro _number_columns(step, read, of) -%}
    {%- set s, p, m = '_' ~ read ~ '_s', '_' ~ read ~ '_p', '_' ~ step ~ '_m' -%}
    {%- set t, short = '_' ~ of ~ '_t', '_' ~ read ~ '_short' -%}
    case
        when {{ short }}
            then cast(
                cast(replace({{ t }}, '.', '') as bigint) as {{ wide_integer() }}
            )
        else {{ _number_m(t, s, p) }}
    end as {{ m }},
    case
        when not {{ short }} then {{ _number_e(s, p) }}
        when strpos({{ t }}, '.') = 0 then 0
        else length({{ t }}) - strpos({{ t }}, '.')
    end as _{{ step }}_e,
    case
        when {{ short }} then null
        else {{ _number_r('_' ~ of ~ '_r', s, p, m) }}
    end as _{{ step }}_r
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
