{#- Cells of the catalog, which are texts, as values. An empty one is the default, or null. -#}

{% macro quantity_cell(name, empty=none) -%}
    {{ exact_decimal(_cell_text(name, empty)) }}
{%- endmacro %}


{#- A price, or a percentage. -#}
{% macro price_cell(name, empty=none) -%}
    {{ exact_decimal(
        _cell_text(name, empty),
        integer_digits=15,
        fraction_digits=15,
        data_type='decimal(30, 15)'
    ) }}
{%- endmacro %}


{% macro word_cell(name, empty) -%}
    coalesce(nullif({{ name }}, ''), '{{ empty }}')
{%- endmacro %}


{% macro _cell_text(name, empty) -%}
    {%- if empty is none -%} {{ name }} {%- else -%} {{ word_cell(name, empty) }} {%- endif -%}
{%- endmacro %}
