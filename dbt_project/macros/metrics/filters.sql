{#- The conditions of `filters`, all of which an event meets: {property: rule}. A rule
    is a text, a list of texts, or {not_in: texts, exists: flag, gt, gte, lt, lte:
    number}. Texts are compared as they are, numbers as numbers. -#}
{% macro filter_conditions(filters) -%}
    {%- for name, rule in filters.items() -%}
        {%- set property = 'properties[' ~ sql_text(name) ~ ']' -%}
        {{ ' and ' if not loop.first }}
        {%- if rule is string or rule is not mapping -%}
            {{ property }} in ({{ _sql_texts([rule] if rule is string else rule) }})
        {%- else -%}
            {%- for operator, operand in rule.items() -%}
                {{ ' and ' if not loop.first }}
                {%- if operator == 'exists' -%}
                    {{ property }} is {{ 'not ' if operand }}null
                {%- elif operator == 'not_in' -%}
                    ({{ property }} is null
                    or {{ property }} not in ({{ _sql_texts(operand) }}))
                {%- else -%}
                    {{ number_compares(property, operator, operand) }}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}


{#- Whether the number in a text is greater or less than a bound. False for what is no
    number. -#}
{% macro number_compares(number_text, operator, bound) -%}
    {%- set signs = {'gt': '> 0', 'gte': '>= 0', 'lt': '< 0', 'lte': '<= 0'} -%}
    coalesce(
        {{ number_order(number_text, sql_text(bound | string)) }} {{ signs[operator] }},
        false
    )
{%- endmacro %}


{#- 1, 0 or -1: the number in a text is greater than another one, equal to it or less,
    however many digits they have. Numbers of one sign are in the order of their places
    before the point, then of their digits. Null for what is no number. -#}
{% macro number_order(number_text, limit) -%}
    case
        when {{ is_number(number_text) }}
            then case
                when {{ _sign_of(number_text) }} > {{ _sign_of(limit) }} then 1
                when {{ _sign_of(number_text) }} < {{ _sign_of(limit) }} then -1
                when {{ _sign_of(limit) }} = 0 then 0
                when {{ _size_compares(number_text, limit, '>') }}
                    then {{ _sign_of(limit) }}
                when {{ _size_compares(number_text, limit, '<') }}
                    then -{{ _sign_of(limit) }}
                else 0
            end
    end
{%- endmacro %}


{% macro _sign_of(number_text) -%}
    (
        case
            when {{ significant_digits(number_text) }} = '' then 0
            when {{ number_text }} like '-%' then -1
            else 1
        end
    )
{%- endmacro %}


{% macro _places_of(number_text) -%}
    coalesce(
        {{ integer_places(number_text) }},
        case
            when regexp_matches({{ number_text }}, '[eE]-') then -1000000000
            else 1000000000
        end
    )
{%- endmacro %}


{% macro _size_compares(one, other, sign) -%}
    (
        {{ _places_of(one) }} {{ sign }} {{ _places_of(other) }}
        or (
            {{ _places_of(one) }} = {{ _places_of(other) }}
            and {{ significant_digits(one) }} {{ sign }} {{ significant_digits(other) }}
        )
    )
{%- endmacro %}
