{# A price of each bucket needs a metric that has them. #}
{{ config(meta={'what_to_do': (
    'give the metric of this charge a bucket, without bucket_by, or write'
    ~ ' `period` in priced_each, in charges.csv'
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
    charges.metric_code
from charges
left join metrics_defined
    on charges.metric_code = metrics_defined.metric_code
where
    charges.priced_each = 'bucket'
    and metrics_defined.is_bucketed is not true
