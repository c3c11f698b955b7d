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


{#- Whether the number in a text is greater or less than a bound, however many
    digits it has. Numbers of one sign are in the order of their places before the
    point, then of their digits. False for what is no number. -#}
{% macro number_compares(number_text, operator, bound) -%}
    {%- set limit = sql_text(bound | string) -%}
    {%- set greater, less = _size_compares(number_text, limit, '>'),
        _size_compares(number_text, limit, '<') -%}
    {%- set is_up = operator in ('gt', 'gte') -%}
    coalesce(
        case
            when {{ number_text }} is null or not {{ is_number(number_text) }} then false
            when {{ _sign_of(number_text) }} != {{ _sign_of(limit) }}
                then {{ _sign_of(number_text) }} {{ '>' if is_up else '<' }} {{ _sign_of(limit) }}
            when {{ significant_digits(number_text) }} = {{ significant_digits(limit) }}
                and {{ _places_of(number_text) }} = {{ _places_of(limit) }}
                then {{ 'true' if operator in ('gte', 'lte') else 'false' }}
            when {{ _sign_of(limit) }} = 0
                then {{ 'true' if operator in ('gte', 'lte') else 'false' }}
            when {{ _sign_of(limit) }} > 0 then {{ greater if is_up else less }}
            else {{ less if is_up else greater }}
        end,
        false
    )
{%- endmacro %}


{% macro _sign_of(number_text) -%}
    case
        when {{ significant_digits(number_text) }} = '' then 0
        when {{ number_text }} like '-%' then -1
        else 1
    end
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
