{#- The canonical JSON of an event's group: keys in order, no spaces, texts
    escaped; null when the event lacks one of the dimensions (a list would drop
    it in silence). `names` is sorted. -#}
{% macro group_key(names, dimensions) -%}
    {{ adapter.dispatch('group_key')(names, dimensions) }}
{%- endmacro %}

{#- The same for an event that has no array or object in a dimension; else null. -#}
{% macro event_group_key(names, dimensions) -%}
    case
        when not {{ has_nested(names, dimensions) }}
            then {{ group_key(names, dimensions) }}
    end
{%- endmacro %}

{% macro duckdb__group_key(names, dimensions) -%}
    case
        when len({{ names }}) = 0 then '{}'
        when
            len(
                list_filter(
                    {{ names }}, lambda name: {{ dimensions }}[name] is null
                )
            ) = 0
            then
                '{' || array_to_string(
                    list_transform(
                        {{ names }},
                        lambda name: cast(to_json(name) as varchar)
                        || ':'
                        || cast(to_json({{ dimensions }}[name]) as varchar)
                    ),
                    ','
                ) || '}'
    end
{%- endmacro %}


{#- The names of a grouping as one text. -#}
{% macro grouping_key(names) -%} cast(to_json({{ names }}) as varchar) {%- endmacro %}


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


{#- The group of a grouping by fewer properties, from a group of the finest one. -#}
{% macro coarser_group_key(key, grouping, finest) -%}
    {{ adapter.dispatch('coarser_group_key')(key, grouping, finest) }}
{%- endmacro %}

{% macro duckdb__coarser_group_key(key, grouping, finest) -%}
    case
        when {{ grouping }} = {{ finest }} then {{ key }}
        else '{' || array_to_string(
            list_transform(
                from_json({{ grouping }}, '["varchar"]'),
                lambda name: cast(to_json(name) as varchar)
                || ':'
                || coalesce(
                    cast(to_json(
                        cast(cast({{ key }} as json) as map(varchar, varchar))[name]
                    ) as varchar),
                    'null'
                )
            ),
            ','
        ) || '}'
    end
{%- endmacro %}


{#- A property, or null where it is an array or object. -#}
{% macro flat_property(name, dimensions) -%}
    {%- set value = dimensions ~ '[' ~ sql_text(name) ~ ']' -%}
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
                    map_values(
                        cast(cast({{ key }} as json) as map(varchar, varchar))
                    ),
                    lambda text: text is null
                )
            ) > 0
        else false
    end
{%- endmacro %}
