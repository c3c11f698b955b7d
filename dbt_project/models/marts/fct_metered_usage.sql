with

usage_of_periods as (

    select * from {{ ref('int_usage_of_periods') }}

),

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

charges_by_period as (

    select * from {{ ref('int_charges_by_period') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

charges as (

    select * from {{ ref('dim_charges') }}

),

plans as (

    select * from {{ ref('dim_plans') }}

),

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

)

select
    usage_of_periods.subscription_id,
    usage_of_periods.metric_code,
    billing_periods.period_index,
    usage_of_periods.group_key,
    billing_periods.invoice_id,
    billing_periods.customer_id,
    customers.name as customer_name,
    billing_periods.plan_code,
    coalesce(plans.name, billing_periods.plan_code) as plan_name,
    charges_by_period.charge_code,
    coalesce(charges.name, charges_by_period.charge_code) as charge_name,
    billing_periods.time_zone,
    billing_periods.period_start_date,
    billing_periods.period_end_date,
    billing_periods.period_start_at,
    billing_periods.period_end_at,
    usage_of_periods.event_count,
    usage_of_periods.late_count,
    usage_of_periods.first_occurred_at,
    usage_of_periods.last_occurred_at,
    usage_of_periods.quantity,
    usage_of_periods.carried_in,
    metrics_defined.unit
from usage_of_periods
inner join billing_periods
    on usage_of_periods.invoice_id = billing_periods.invoice_id
inner join metrics_defined
    on usage_of_periods.metric_code = metrics_defined.metric_code
left join customers
    on billing_periods.customer_id = customers.customer_id
left join plans
    on billing_periods.plan_code = plans.plan_code
left join charges_by_period
    on
        billing_periods.subscription_id = charges_by_period.subscription_id
        and billing_periods.period_index = charges_by_period.period_index
        and usage_of_periods.metric_code = charges_by_period.metric_code
left join charges
    on
        billing_periods.plan_code = charges.plan_code
        and charges_by_period.charge_code = charges.charge_code
