{#- The canonical JSON of an event's group: keys in order, no spaces, texts
    escaped; null when the event lacks one of the dimensions, or has an array or
    object there, and nothing stands for it. `names` is sorted. -#}
{% macro event_group_key(names, dimensions, missing='null') -%}
    {{ adapter.dispatch('event_group_key')(names, dimensions, missing) }}
{%- endmacro %}

{% macro duckdb__event_group_key(names, dimensions, missing) -%}
    {%- set text -%}
    coalesce({{ _flat(dimensions ~ '[name]') }}, {{ missing }})
    {%- endset -%}
    case
        when len({{ names }}) = 0 then '{}'
        when
            len(list_filter({{ names }}, lambda name: {{ text }} is null)) = 0
            then {{ json_object_by_name(names, 'cast(to_json(' ~ text ~ ') as varchar)') }}
    end
{%- endmacro %}


{#- The canonical JSON of columns, null for a property that is not there. -#}
{% macro group_key_of_columns(names, columns) -%}
    {%- if not names -%}
    '{}'
    {%- else -%}
    concat(
        {%- for name in names %}
        {{ sql_text(('{' if loop.first else ',') ~ tojson(name) ~ ':') }},
        coalesce(cast(to_json({{ columns[loop.index0] }}) as varchar), 'null'),
        {%- endfor %}
        '}'
    )
    {%- endif -%}
{%- endmacro %}


{#- The properties of a group as a map. -#}
{% macro properties_of_group(key) -%}
    {{ adapter.dispatch('properties_of_group')(key) }}
{%- endmacro %}

{% macro duckdb__properties_of_group(key) -%}
    cast(cast({{ key }} as json) as map(varchar, varchar))
{%- endmacro %}


{#- The properties of an event without those that are an array or object. -#}
{% macro flat_properties(dimensions) -%}
    {{ adapter.dispatch('flat_properties')(dimensions) }}
{%- endmacro %}

{% macro duckdb__flat_properties(dimensions) -%}
    map_from_entries(
        list_filter(
            map_entries({{ dimensions }}),
            lambda each: {{ _flat('each.value') }} is not null
        )
    )
{%- endmacro %}


{#- A property, or null where it is an array or object. -#}
{% macro flat_property(name, dimensions) -%}
    {{ _flat(dimensions ~ '[' ~ sql_text(name) ~ ']') }}
{%- endmacro %}


{#- The lake keeps an array or object as its JSON text, which is a text like any other. So
    a text of the same form counts as nested, too. -#}
{% macro _flat(value) -%}
    case
        when left({{ value }}, 1) not in ('[', '{') or not json_valid({{ value }})
            then {{ value }}
    end
{%- endmacro %}


{#- Whether a property of a group is not there. -#}
{% macro lacks_property(key) -%}
    {{ adapter.dispatch('lacks_property')(key) }}
{%- endmacro %}

{% macro duckdb__lacks_property(key) -%}
    case
        when {{ key }} like '%":null%'
            then len(
                list_filter(
                    map_values({{ properties_of_group(key) }}),
                    lambda text: text is null
                )
            ) > 0
        else false
    end
{%- endmacro %}
