{#- A table as an earlier run left it, none before the first: for what is worked out once
    and kept. It is no `ref`, because its model reads the one that asks. -#}
{% macro built_before(schema, name) -%}
    {%- set found = namespace(relation=none) -%}
    {%- if execute and not flags.FULL_REFRESH -%}
        {%- set found.relation = adapter.get_relation(target.database, schema, name) -%}
    {%- endif -%}
    {{ return(found.relation) }}
{%- endmacro %}
