{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- One warehouse, so the folder's schema is the whole name: `marts`,
        never `main_marts`. -#}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
