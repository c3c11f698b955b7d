{% test one_of(model, column_name, values=none, values_of=none) %}

{#- dbt's accepted_values lets null pass; a closed list has no null in it.
    `values_of` is the name of a macro that gives the list. -#}
{%- set values = context[values_of]() if values_of else values -%}
select *
from {{ model }}
where
    {{ column_name }} is null
    or {{ column_name }} not in (
        {%- for value in values -%}
        {{ sql_text(value) }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    )

{% endtest %}
