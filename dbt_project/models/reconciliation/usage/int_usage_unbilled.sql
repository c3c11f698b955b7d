with

usage_metered as (

    select * from {{ ref('int_usage_metered') }}

),

events_counted as (

    select * from {{ ref('int_events_counted') }}

),

invoice_lines_recomputed as (

    select * from {{ ref('int_invoice_lines_recomputed') }}

),

{# What a changed catalog or definition moved to (or, below zero, from) a
   closed period. A difference without a cause is an error of the run. #}
usage_after_finalization as (

    select
        *,
        recomputed_event_count - invoiced_event_count as event_count,
        recomputed_quantity - invoiced_quantity as quantity
    from invoice_lines_recomputed
    where
        difference_cause is not null
        and (
            recomputed_event_count is distinct from invoiced_event_count
            or recomputed_quantity is distinct from invoiced_quantity
        )

),

unbilled_usage as (

    select
        unbilled_reason,
        metric_code,
        customer_id,
        unattributed_ref,
        subscription_id,
        period_index,
        charge_code,
        group_key,
        null as event_name,
        event_count,
        quantity,
        first_occurred_at,
        last_occurred_at,
        example_file_id,
        example_line
    from usage_metered
    where unbilled_reason is not null
    union all
    select
        'after_finalization' as unbilled_reason,
        metric_code,
        customer_id,
        null as unattributed_ref,
        subscription_id,
        period_index,
        charge_code,
        group_key,
        null as event_name,
        event_count,
        quantity,
        null as first_occurred_at,
        null as last_occurred_at,
        null as example_file_id,
        null as example_line
    from usage_after_finalization
    union all
    select
        'no_metric' as unbilled_reason,
        null as metric_code,
        customer_id,
        unattributed_ref,
        null as subscription_id,
        null as period_index,
        null as charge_code,
        null as group_key,
        event_name,
        cast(sum(event_count) as bigint) as event_count,
        null as quantity,
        min(first_occurred_at) as first_occurred_at,
        max(last_occurred_at) as last_occurred_at,
        min(example_file_id) as example_file_id,
        min_by(example_line, example_file_id) as example_line
    from events_counted
    where not is_metered
    group by customer_id, unattributed_ref, event_name

)

select * from unbilled_usage
