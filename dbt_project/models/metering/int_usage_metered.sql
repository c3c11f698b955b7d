with

events_assigned as (

    select * from {{ ref('int_events_assigned') }}

),

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

),

usage_aggregated as (

    select * from {{ ref('int_usage_aggregated') }}

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
        {{ sum_exact(
            'value',
            "concat_ws('/', metric_code, subscription_id, period_index)"
        ) }} as value_sum,
        min(occurred_at) as first_occurred_at,
        max(occurred_at) as last_occurred_at,
        {# Among billable events, those below zero alone: they are why a group
           sums to less than nothing. #}
        min({{ place('file_id', 'line') }}) filter (
            where unbilled_reason is not null or value < 0
        ) as example
    from events_assigned
    group by 1, 2, 3, 4, 5, 6, 7, 8

),

usage_with_quantity as (

    select
        usage_per_line.*,
        metrics_defined.is_additive,
        case
            when metrics_defined.is_additive then usage_per_line.value_sum
            when usage_per_line.unbilled_reason is null
                then usage_aggregated.quantity
        end as quantity
    from usage_per_line
    left join metrics_defined
        on usage_per_line.metric_code = metrics_defined.metric_code
    left join usage_aggregated
        on
            usage_per_line.metric_code = usage_aggregated.metric_code
            and usage_per_line.subscription_id
            = usage_aggregated.subscription_id
            and usage_per_line.charge_code = usage_aggregated.charge_code
            and usage_per_line.period_index = usage_aggregated.period_index
            and usage_per_line.group_key = usage_aggregated.group_key

)

select
    usage_with_quantity.metric_code,
    usage_with_quantity.customer_id,
    usage_with_quantity.unattributed_ref,
    usage_with_quantity.subscription_id,
    usage_with_quantity.period_index,
    usage_with_quantity.charge_code,
    usage_with_quantity.group_key,
    case
        when
            usage_with_quantity.unbilled_reason is null
            and usage_with_quantity.quantity < 0
            then 'negative_quantity'
        else usage_with_quantity.unbilled_reason
    end as unbilled_reason,
    usage_with_quantity.event_count,
    usage_with_quantity.quantity,
    case
        when usage_with_quantity.is_additive
            then usage_with_quantity.value_sum
    end as value_sum,
    usage_with_quantity.first_occurred_at,
    usage_with_quantity.last_occurred_at,
    usage_with_quantity.example.file_id as example_file_id,
    usage_with_quantity.example.line as example_line
from usage_with_quantity
