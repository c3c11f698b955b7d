{% test relationships(model, column_name, to, field) %}

{#- Null refers to nothing and passes; `not_null` is another assertion. -#}
select referring.*
from {{ model }} as referring
left join (select distinct {{ field }} as known from {{ to }}) as referred
    on referring.{{ column_name }} = referred.known
where
    referring.{{ column_name }} is not null
    and referred.known is null

{% endtest %}
