with

billing_periods as (

    select * from {{ source('calendar', 'billing_periods') }}

)

{# No invoice has an id that one had before. #}
select
    coalesce(
        next_invoice_id,
        subscription_id || '/' || {{ label_text('period_start_label') }}
    ) as invoice_id,
    subscription_id,
    customer_id,
    plan_code,
    currency,
    time_zone,
    late_usage_policy,
    period_start_date,
    cast(period_end_label as date) as period_end_date,
    period_start_label,
    period_start_at,
    period_end_at,
    full_start_at,
    full_end_at,
    service_days,
    full_days,
    phase_index,
    is_trial,
    cut_at
from billing_periods
