with

billing_periods as (

    select * from {{ source('calendar', 'billing_periods') }}

)

select
    subscription_id || '/' || cast(period_start_date as varchar) as invoice_id,
    subscription_id,
    period_index,
    customer_id,
    plan_code,
    currency,
    time_zone,
    late_usage_policy,
    period_start_date,
    period_start_at,
    period_end_at,
    cut_at,
    finalized_batch_id
from billing_periods
