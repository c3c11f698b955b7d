with

billing_periods as (

    select * from {{ source('calendar', 'billing_periods') }}

),

reopened_periods as (

    select * from {{ ref('stg_calendar__reopened_periods') }}

),

{# No invoice has an id that one had before. #}
periods_with_id as (

    select
        billing_periods.*,
        coalesce(
            reopened_periods.next_invoice_id,
            billing_periods.subscription_id || '/'
            || {{ label_text('billing_periods.period_start_label') }}
        ) as invoice_id
    from billing_periods
    left join reopened_periods
        on
            billing_periods.subscription_id = reopened_periods.subscription_id
            and billing_periods.period_start_label
            = reopened_periods.period_start_label

)

select
    invoice_id,
    subscription_id,
    customer_id,
    plan_code,
    currency,
    time_zone,
    late_usage_policy,
    period_start_date,
    cast(period_end_label as date) as period_end_date,
    period_start_at,
    period_end_at,
    full_start_at,
    full_end_at,
    service_days,
    full_days,
    phase_index,
    is_trial,
    cut_at
from periods_with_id
