with

usage_by_day as (

    select * from {{ ref('int_usage_by_day') }}

),

subscriptions as (

    select * from {{ ref('stg_catalog__subscriptions') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

metrics as (

    select * from {{ ref('dim_billable_metrics') }}

),

usage_with_names as (

    select
        usage_by_day.subscription_id,
        usage_by_day.metric_code,
        usage_by_day.local_date,
        usage_by_day.group_key,
        subscriptions.customer_id,
        customers.name as customer_name,
        usage_by_day.event_count,
        usage_by_day.late_count,
        usage_by_day.quantity,
        metrics.unit
    from usage_by_day
    left join subscriptions
        on usage_by_day.subscription_id = subscriptions.subscription_id
    left join customers
        on subscriptions.customer_id = customers.customer_id
    left join metrics
        on usage_by_day.metric_code = metrics.metric_code

)

select
    subscription_id,
    metric_code,
    local_date,
    group_key,
    customer_id,
    customer_name,
    event_count,
    late_count,
    quantity,
    unit
from usage_with_names
