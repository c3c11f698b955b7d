{#- How many events match: each counts 1, and none is without a quantity. -#}
{% macro default__count_quantity(property, fraction_digits) -%}
    {%- if property is not none -%}
        {{ exceptions.raise_compiler_error(
            'expected no property for the aggregation count, found ' ~ property
        ) }}
    {%- endif -%}
    cast(1 as decimal(38, 18))
{%- endmacro %}


{% macro default__count_unmetered_reason(property) -%}
    cast(null as varchar)
{%- endmacro %}


{% macro default__count_total(quantity, row_name) -%}
    {{ sum_exact(quantity, row_name) }}
{%- endmacro %}
