{#- The sum of a property's numbers, each read exactly or not at all. -#}
{% macro default__sum_quantity(property, fraction_digits) -%}
    {%- if property is none -%}
        {{ exceptions.raise_compiler_error(
            'expected a property for the aggregation sum, found none'
        ) }}
    {%- endif -%}
    {{ exact_decimal(
        'properties[' ~ sql_text(property) ~ ']',
        fraction_digits=fraction_digits
    ) }}
{%- endmacro %}


{% macro default__sum_unmetered_reason(property) -%}
    {{ inexact_reason('properties[' ~ sql_text(property) ~ ']') }}
{%- endmacro %}


{% macro default__sum_total(quantity, row_name) -%}
    {{ sum_exact(quantity, row_name) }}
{%- endmacro %}
