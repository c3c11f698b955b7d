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

landing_files as (

    select * from {{ ref('fct_landing_files') }}

),

unbilled_with_names as (

    select
        usage_unbilled.*,
        customers.name as customer_name,
        coalesce(metrics.event_name, usage_unbilled.event_name)
            as known_event_name,
        metrics.unit,
        landing_files.path as example_path
    from usage_unbilled
    left join customers
        on usage_unbilled.customer_id = customers.customer_id
    left join metrics
        on usage_unbilled.metric_code = metrics.metric_code
    left join landing_files
        on usage_unbilled.example_file_id = landing_files.file_id

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
    known_event_name as event_name,
    event_count,
    quantity,
    unit,
    first_occurred_at,
    last_occurred_at,
    example_path,
    example_line
from unbilled_with_names
