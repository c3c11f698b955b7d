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
