{#- A query of all rows of several models, whose names are `prefix` and a code. -#}
{% macro union_of(prefix, codes) -%}
    {%- for code in codes %}
    select * from {{ ref(prefix ~ code) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
