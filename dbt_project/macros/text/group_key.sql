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
            then {{ _object(names, 'cast(to_json(' ~ text ~ ') as varchar)') }}
    end
{%- endmacro %}


{#- A grouping as one text: its names, and what stands for a missing property. -#}
{% macro grouping_key(names, missing=none) -%}
    cast(to_json({{ names }}) as varchar)
    {%- if missing is not none %}
    || coalesce(' missing ' || cast(to_json({{ missing }}) as varchar), '')
    {%- endif -%}
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


{#- The group by which a charge asks for usage of a group that is kept. `asked` is a
    relation with the charge's `grouping_key`, `group_by` and `missing_dimension`, `kept`
    the grouping of the group. -#}
{% macro asked_group_key(key, asked, kept) -%}
    case
        when {{ asked }}.grouping_key != {{ kept }}
            then {{ adapter.dispatch('coarser_group_key')(
                key, asked ~ '.group_by', asked ~ '.missing_dimension'
            ) }}
        else {{ key }}
    end
{%- endmacro %}

{% macro duckdb__coarser_group_key(key, names, missing) -%}
    {%- set text -%}
    coalesce(
        cast(cast({{ key }} as json) as map(varchar, varchar))[name], {{ missing }}
    )
    {%- endset -%}
    {{ _object(names, "coalesce(cast(to_json(" ~ text ~ ") as varchar), 'null')") }}
{%- endmacro %}


{#- The JSON object that has a value under each `name`. -#}
{% macro _object(names, value) -%}
    '{' || array_to_string(
        list_transform(
            {{ names }},
            lambda name: cast(to_json(name) as varchar) || ':' || {{ value }}
        ),
        ','
    ) || '}'
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
                    map_values(
                        cast(cast({{ key }} as json) as map(varchar, varchar))
                    ),
                    lambda text: text is null
                )
            ) > 0
        else false
    end
{%- endmacro %}
