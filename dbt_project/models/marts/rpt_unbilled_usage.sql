with

usage_unbilled as (

    select * from {{ ref('int_usage_unbilled') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

metrics as (

    select * from {{ ref('dim_billable_metrics') }}

),

unbilled_with_names as (

    select
        usage_unbilled.*,
        customers.name as customer_name,
        metrics.unit
    from usage_unbilled
    left join customers
        on usage_unbilled.customer_id = customers.customer_id
    left join metrics
        on usage_unbilled.metric_code = metrics.metric_code

)

select
    unbilled_reason,
    metric_code,
    customer_id,
    customer_name,
    unattributed_ref,
    subscription_id,
    period_index,
    charge_code,
    group_key,
    event_count,
    quantity,
    unit
from unbilled_with_names
