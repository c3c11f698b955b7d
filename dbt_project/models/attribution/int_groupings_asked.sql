{# By which properties the usage of a period is asked for: those of its charges,
   and all that the metric keeps it by. #}
with

charges_by_period as (

    select * from {{ ref('int_charges_by_period') }}

),

billing_periods as (

    select * from {{ ref('int_periods_united') }}

)

select distinct
    billing_periods.invoice_id,
    charges_by_period.subscription_id,
    charges_by_period.metric_code,
    {{ grouping_key(
        'charges_by_period.group_by',
        'charges_by_period.missing_dimension',
        'charges_by_period.conditions'
    ) }} as grouping_key,
    charges_by_period.group_by,
    charges_by_period.missing_dimension,
    charges_by_period.conditions
from charges_by_period
inner join billing_periods
    on
        charges_by_period.subscription_id = billing_periods.subscription_id
        and charges_by_period.period_index = billing_periods.period_index
where charges_by_period.metric_code is not null
