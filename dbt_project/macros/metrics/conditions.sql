{#- The filter of a charge, `region=eu|us;ms>5`, as its conditions: a list of structs with
    `name`, `operator` and `texts`; empty where there is none. The catalog has refused what
    is ill-formed; `pipelines/catalog/filters.py` says what is what. -#}
{% macro conditions_of(filters) -%}
    {{ adapter.dispatch('conditions_of')(filters) }}
{%- endmacro %}

{% macro duckdb__conditions_of(filters) -%}
    coalesce(
        list_transform(
            list_transform(
                string_split(nullif({{ filters }}, ''), ';'),
                lambda written: regexp_extract(
                    written,
                    '^([^=!?<>]+)(!=|![?]|>=|<=|=|[?]|>|<)(.*)$',
                    ['name', 'sign', 'texts'],
                    's'
                )
            ),
            lambda part: struct_pack(
                name := url_decode(part['name']),
                operator := case part['sign']
                    when '=' then 'in'
                    when '!=' then 'not_in'
                    when '?' then 'exists'
                    when '!?' then 'absent'
                    when '>' then 'gt'
                    when '>=' then 'gte'
                    when '<' then 'lt'
                    when '<=' then 'lte'
                end,
                texts := case
                    when part['sign'] in ('?', '!?') then cast([] as varchar[])
                    else list_transform(
                        string_split(part['texts'], '|'),
                        lambda text: url_decode(text)
                    )
                end
            )
        ),
        []
    )
{%- endmacro %}


{#- Whether properties, a map of texts, meet all conditions of a charge. Texts are compared
    as they are, numbers as numbers. -#}
{% macro conditions_hold(conditions, properties) -%}
    {{ adapter.dispatch('conditions_hold')(conditions, properties) }}
{%- endmacro %}

{% macro duckdb__conditions_hold(conditions, properties) -%}
    case
        when coalesce(len({{ conditions }}), 0) = 0 then true
        else len(
            list_filter(
                list_transform(
                    {{ conditions }},
                    lambda condition: struct_pack(
                        operator := condition.operator,
                        texts := condition.texts,
                        text := {{ properties }}[condition.name]
                    )
                ),
                lambda asked: not case asked.operator
                    when 'exists' then asked.text is not null
                    when 'absent' then asked.text is null
                    when 'in'
                        then coalesce(list_contains(asked.texts, asked.text), false)
                    when 'not_in'
                        then not coalesce(
                            list_contains(asked.texts, asked.text), false
                        )
                    else coalesce(
                        list_contains(
                            case asked.operator
                                when 'gt' then [1]
                                when 'gte' then [0, 1]
                                when 'lt' then [-1]
                                when 'lte' then [-1, 0]
                            end,
                            {{ number_order('asked.text', 'asked.texts[1]') }}
                        ),
                        false
                    )
                end
            )
        ) = 0
    end
{%- endmacro %}


{#- The properties that conditions look at. -#}
{% macro names_of_conditions(conditions) -%}
    {{ adapter.dispatch('names_of_conditions')(conditions) }}
{%- endmacro %}

{% macro duckdb__names_of_conditions(conditions) -%}
    list_transform({{ conditions }}, lambda condition: condition.name)
{%- endmacro %}
