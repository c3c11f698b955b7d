{% test one_of(model, column_name, values) %}

{#- dbt's accepted_values lets null pass; a closed list has no null in it. -#}
select {{ column_name }}
from {{ model }}
where
    {{ column_name }} is null
    or {{ column_name }} not in (
        {%- for value in values -%}
        {{ sql_text(value) }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    )

{% endtest %}
