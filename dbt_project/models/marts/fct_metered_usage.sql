{%- set charge_code -%}
    {{ charge_taking(
        'metrics_by_period.charges',
        properties_of_group('usage_by_period.group_key')
    ) }}.charge_code
{%- endset -%}

with

usage_by_period as (

    select * from {{ ref('int_usage_by_period') }}

),

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

metrics_by_period as (

    select * from {{ ref('int_metrics_by_period') }}

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
    usage_by_period.subscription_id,
    usage_by_period.metric_code,
    billing_periods.period_index,
    usage_by_period.group_key,
    billing_periods.invoice_id,
    billing_periods.customer_id,
    customers.name as customer_name,
    billing_periods.plan_code,
    coalesce(plans.name, billing_periods.plan_code) as plan_name,
    {{ charge_code }} as charge_code,
    coalesce(charges.name, {{ charge_code }}) as charge_name,
    billing_periods.time_zone,
    billing_periods.period_start_date,
    billing_periods.period_end_date,
    billing_periods.period_start_at,
    billing_periods.period_end_at,
    usage_by_period.event_count,
    usage_by_period.late_count,
    usage_by_period.first_occurred_at,
    usage_by_period.last_occurred_at,
    usage_by_period.quantity,
    usage_by_period.carried_in,
    usage_by_period.rounded_count,
    usage_by_period.rounded_sum as rounded_difference,
    metrics_defined.unit
from usage_by_period
inner join billing_periods
    on usage_by_period.invoice_id = billing_periods.invoice_id
inner join metrics_defined
    on usage_by_period.metric_code = metrics_defined.metric_code
left join customers
    on billing_periods.customer_id = customers.customer_id
left join plans
    on billing_periods.plan_code = plans.plan_code
left join metrics_by_period
    on
        billing_periods.subscription_id = metrics_by_period.subscription_id
        and billing_periods.period_index = metrics_by_period.period_index
        and usage_by_period.metric_code = metrics_by_period.metric_code
left join charges
    on
        billing_periods.plan_code = charges.plan_code
        and {{ charge_code }} = charges.charge_code
