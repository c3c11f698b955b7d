with

events_assigned as (

    select * from {{ ref('int_events_assigned') }}

),

usage_per_line as (

    select
        metric_code,
        customer_id,
        unattributed_ref,
        subscription_id,
        period_index,
        charge_code,
        group_key,
        unbilled_reason,
        count(*) as event_count,
        {{ metric_total(
            'quantity',
            "concat_ws('/', metric_code, subscription_id, period_index)"
        ) }} as quantity,
        min(occurred_at) as first_occurred_at,
        max(occurred_at) as last_occurred_at,
        {# Among billable events, those below zero alone: they are why a group
           sums to less than nothing. #}
        min({{ place('file_id', 'line') }}) filter (
            where unbilled_reason is not null or quantity < 0
        ) as example
    from events_assigned
    group by
        metric_code,
        customer_id,
        unattributed_ref,
        subscription_id,
        period_index,
        charge_code,
        group_key,
        unbilled_reason

)

select
    usage_per_line.metric_code,
    usage_per_line.customer_id,
    usage_per_line.unattributed_ref,
    usage_per_line.subscription_id,
    usage_per_line.period_index,
    usage_per_line.charge_code,
    usage_per_line.group_key,
    case
        when
            usage_per_line.unbilled_reason is null
            and usage_per_line.quantity < 0
            then 'negative_quantity'
        else usage_per_line.unbilled_reason
    end as unbilled_reason,
    usage_per_line.event_count,
    usage_per_line.quantity,
    usage_per_line.first_occurred_at,
    usage_per_line.last_occurred_at,
    usage_per_line.example.file_id as example_file_id,
    usage_per_line.example.line as example_line
from usage_per_line
