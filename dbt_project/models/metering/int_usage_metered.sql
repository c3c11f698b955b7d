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
        ) }} as quantity
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
    metric_code,
    customer_id,
    unattributed_ref,
    subscription_id,
    period_index,
    charge_code,
    group_key,
    case
        when unbilled_reason is null and quantity < 0 then 'negative_quantity'
        else unbilled_reason
    end as unbilled_reason,
    event_count,
    quantity
from usage_per_line
