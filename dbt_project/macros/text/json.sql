{#- Texts that hold a JSON object. What is taken out of one is written in one way: no
    spaces, no unnecessary escapes; the names keep their order. -#}

{#- The names in the object that is a member of it. -#}
{% macro json_names(text, member) -%}
    {{ adapter.dispatch('json_names')(text, member) }}
{%- endmacro %}


{% macro duckdb__json_names(text, member) -%}
    json_keys({{ text }}, '$.{{ member }}')
{%- endmacro %}


{#- What such an object has under a name, as text; null if nothing. -#}
{% macro json_member(text, member, name) -%}
    {{ adapter.dispatch('json_member')(text, member, name) }}
{%- endmacro %}


{% macro duckdb__json_member(text, member, name) -%}
    cast(json_extract({{ text }}, '$.{{ member }}."' || {{ name }} || '"') as varchar)
{%- endmacro %}


{#- The object without one of its members, as text. -#}
{% macro json_without(text, member) -%}
    {{ adapter.dispatch('json_without')(text, member) }}
{%- endmacro %}


{% macro duckdb__json_without(text, member) -%}
    cast(json_merge_patch({{ text }}, '{"{{ member }}": null}') as varchar)
{%- endmacro %}


{#- The JSON object that has a value under each `name`. -#}
{% macro json_object_by_name(names, value) -%}
    '{' || array_to_string(
        list_transform(
            {{ names }},
            lambda name: cast(to_json(name) as varchar) || ':' || {{ value }}
        ),
        ','
    ) || '}'
{%- endmacro %}
