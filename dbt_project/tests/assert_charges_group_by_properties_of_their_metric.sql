{# A charge may group by what its metric offers and documents, and take a part
   of it by the same properties; by nothing else. #}
{{ config(meta={'what_to_do': (
    'group and filter this charge by properties that its metric has,'
    ~ ' in charges.csv'
)}) }}

with

charges as (

    select * from {{ ref('stg_catalog__charges') }}

),

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

)

select
    charges.plan_code,
    charges.charge_code,
    charges.group_by,
    {{ names_of_conditions('charges.conditions') }} as filtered_by,
    metrics_defined.group_by as metric_group_by
from charges
left join metrics_defined
    on charges.metric_code = metrics_defined.metric_code
where
    charges.metric_code is not null
    and (
        list_has_all(metrics_defined.group_by, charges.group_by) is not true
        or list_has_all(
            metrics_defined.group_by,
            {{ names_of_conditions('charges.conditions') }}
        ) is not true
    )
