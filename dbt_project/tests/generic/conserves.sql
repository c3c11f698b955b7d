{% test conserves(model, compare_model, key, sums, compare_where='true') %}

{#- Two relations hold the same sums for each key. A key that one of them lacks
    fails, and so does a null among the values. `sums` maps a column of the
    model to the column of the compared model whose sum it must equal;
    `compare_where` leaves out rows of the compared model. -#}
with

model_sums as (

    select
        {{ key | join(', ') }},
        {%- for column in sums %}
        case when count(*) = count({{ column }}) then sum({{ column }}) end
            as model_sum_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
    group by {{ key | join(', ') }}

),

compared_sums as (

    select
        {{ key | join(', ') }},
        {%- for column in sums.values() %}
        case when count(*) = count({{ column }}) then sum({{ column }}) end
            as compared_sum_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ compare_model }}
    where {{ compare_where }}
    group by {{ key | join(', ') }}

)

select
    *,
    {%- for column in sums %}
    model_sum_{{ loop.index }} - compared_sum_{{ loop.index }}
        as difference_{{ loop.index }}{{ ',' if not loop.last }}
    {%- endfor %}
from model_sums
full join compared_sums using ({{ key | join(', ') }})
where
    {%- for column in sums %}
    {{ 'or ' if not loop.first -}}
    (model_sum_{{ loop.index }} = compared_sum_{{ loop.index }}) is not true
    {%- endfor %}

{% endtest %}

