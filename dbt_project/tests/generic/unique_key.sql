{% test unique_key(model, columns, nullable_columns=[]) %}

{#- A key column that is null identifies nothing, so that row fails as well;
    `nullable_columns` belong to the key and may be null. -#}
select
    {{ (columns + nullable_columns) | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ (columns + nullable_columns) | join(', ') }}
having
    count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}

{% endtest %}
