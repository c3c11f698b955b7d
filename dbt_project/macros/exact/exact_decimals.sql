{#- Text to decimal, exactly or not at all. A cast alone would round what has
    too many digits and take ' 5', '0x10' and '1_000' for numbers. -#}

{% macro exact_decimal(
    number_text,
    integer_digits=20,
    fraction_digits=18,
    data_type='decimal(38, 18)'
) -%}
    {#- The two common forms go through 64-bit decimals: the outcome is the
        same, and 200 times faster than through 128 bits. -#}
    {%- set more_digits = '{9,' ~ ([integer_digits, 18] | min - 1) ~ '}' -%}
    case
        when regexp_full_match(
            {{ number_text }},
            '-?(0|[1-9][0-9]{0,8})
            {{- '([.][0-9]{1,' ~ [fraction_digits, 9] | min ~ '})?'
                if fraction_digits }}'
        )
            then cast(
                cast({{ number_text }} as decimal(18, 9)) as {{ data_type }}
            )
        when regexp_full_match(
            {{ number_text }}, '-?[1-9][0-9]{{ more_digits }}'
        )
            then cast(
                cast({{ number_text }} as decimal(18, 0)) as {{ data_type }}
            )
        when
            {{ is_number(number_text) }}
            and {{ significant_digits(number_text) }} = ''
            then cast(0 as {{ data_type }})
        when
            {{ is_number(number_text) }}
            and {{ integer_places(number_text) }} <= {{ integer_digits }}
            and length({{ significant_digits(number_text) }})
            - {{ integer_places(number_text) }} <= {{ fraction_digits }}
            then cast({{ plain_number(number_text) }} as {{ data_type }})
    end
{%- endmacro %}


{#- An optional sign, digits with an optional fraction, and an optional exponent. -#}
{% macro is_number(number_text) -%}
    regexp_full_match(
        {{ number_text }}, '[-+]?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?'
    )
{%- endmacro %}


{#- 1.50e3 has the coefficient 150: all digits, without point and exponent. -#}
{% macro coefficient(number_text) -%}
    replace(regexp_extract({{ number_text }}, '^[-+]?([0-9.]+)', 1), '.', '')
{%- endmacro %}


{#- 1.50e3 has the significant digits 15: neither first nor last is 0. -#}
{% macro significant_digits(number_text) -%}
    trim({{ coefficient(number_text) }}, '0')
{%- endmacro %}


{#- How many significant digits stand before the point: 4 for 1.5e3, -2 for
    0.001; null for an exponent that no number of bounded length needs. The
    appended e0 is found where there is no exponent. -#}
{% macro integer_places(number_text) -%}
    (
        length(regexp_extract({{ number_text }}, '^[-+]?([0-9]+)', 1))
        + try_cast(
            regexp_extract({{ number_text }} || 'e0', '[eE]([-+]?[0-9]+)', 1)
            as integer
        )
        - length({{ coefficient(number_text) }})
        + length(ltrim({{ coefficient(number_text) }}, '0'))
    )
{%- endmacro %}


{#- The same number without exponent. -#}
{% macro plain_number(number_text) -%}
    case when {{ number_text }} like '-%' then '-' else '' end
    || '0'
    || left(
        {{ significant_digits(number_text) }},
        greatest({{ integer_places(number_text) }}, 0)
    )
    || repeat(
        '0',
        {{ integer_places(number_text) }}
        - length({{ significant_digits(number_text) }})
    )
    || '.'
    || repeat('0', - {{ integer_places(number_text) }})
    || substr(
        {{ significant_digits(number_text) }},
        greatest({{ integer_places(number_text) }}, 0) + 1
    )
{%- endmacro %}
