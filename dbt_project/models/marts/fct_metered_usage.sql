with

usage_metered as (

    select * from {{ ref('int_usage_metered') }}

),

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

charges as (

    select * from {{ ref('dim_charges') }}

),

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

),

usage_per_group as (

    select
        usage_metered.subscription_id,
        usage_metered.metric_code,
        usage_metered.period_index,
        usage_metered.group_key,
        billing_periods.invoice_id,
        usage_metered.customer_id,
        customers.name as customer_name,
        billing_periods.plan_code,
        coalesce(charges.plan_name, billing_periods.plan_code) as plan_name,
        usage_metered.charge_code,
        coalesce(charges.name, usage_metered.charge_code) as charge_name,
        billing_periods.time_zone,
        billing_periods.period_start_date,
        billing_periods.period_end_date,
        billing_periods.period_start_at,
        billing_periods.period_end_at,
        usage_metered.event_count,
        usage_metered.quantity,
        metrics_defined.unit
    from usage_metered
    inner join billing_periods
        on
            usage_metered.subscription_id = billing_periods.subscription_id
            and usage_metered.period_index = billing_periods.period_index
    left join customers
        on usage_metered.customer_id = customers.customer_id
    left join charges
        on
            billing_periods.plan_code = charges.plan_code
            and usage_metered.charge_code = charges.charge_code
    left join metrics_defined
        on usage_metered.metric_code = metrics_defined.metric_code
    where usage_metered.unbilled_reason is null

)

select
    subscription_id,
    metric_code,
    period_index,
    group_key,
    invoice_id,
    customer_id,
    customer_name,
    plan_code,
    plan_name,
    charge_code,
    charge_name,
    time_zone,
    period_start_date,
    period_end_date,
    period_start_at,
    period_end_at,
    event_count,
    quantity,
    unit
from usage_per_group
