{#- True when one of an event's dimensions is an array or object. The lake keeps
    such a value as its JSON text, which is a text like any other. So a text of
    the same form counts as nested, too. -#}
{% macro has_nested(names, dimensions) -%}
    {{ adapter.dispatch('has_nested')(names, dimensions) }}
{%- endmacro %}

{% macro duckdb__has_nested(names, dimensions) -%}
    coalesce(
        len(
            list_filter(
                {{ names }},
                lambda name: left({{ dimensions }}[name], 1) in ('[', '{')
                and json_valid({{ dimensions }}[name])
            )
        ) > 0,
        false
    )
{%- endmacro %}
