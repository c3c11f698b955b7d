{% test row_satisfies(model, expression) %}

{#- What is neither true nor false fails: an identity with a null in it has not
    been shown. -#}
select *
from {{ model }}
where ({{ expression }}) is not true

{% endtest %}
