with

usage_daily as (

    select * from {{ ref('int_usage_daily') }}

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
        usage_daily.subscription_id,
        usage_daily.metric_code,
        usage_daily.local_date,
        usage_daily.group_key,
        subscriptions.customer_id,
        customers.name as customer_name,
        usage_daily.event_count,
        usage_daily.late_count,
        usage_daily.quantity,
        metrics.unit
    from usage_daily
    left join subscriptions
        on usage_daily.subscription_id = subscriptions.subscription_id
    left join customers
        on subscriptions.customer_id = customers.customer_id
    left join metrics
        on usage_daily.metric_code = metrics.metric_code

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
