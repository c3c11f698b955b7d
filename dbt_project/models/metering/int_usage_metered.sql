{%- set is_charged =
    "(charge_code is not null or unbilled_reason = 'filtered_out')" -%}

with

usage_united as (

    select * from {{ ref('int_usage_united') }}

),

{# A charge counts its group as a whole. #}
usage_charged as (

    select
        metric_code,
        customer_id,
        unattributed_ref,
        subscription_id,
        period_index,
        charge_code,
        group_key,
        unbilled_reason,
        event_count,
        quantity,
        case when is_additive then quantity end as value_sum,
        first_occurred_at,
        last_occurred_at,
        case
            when unbilled_reason = 'quantity_overflow' then first_place
            else negative_place
        end as example_place
    from usage_united
    where
        unbilled_reason is null
        or unbilled_reason in ('negative_quantity', 'quantity_overflow')

),

usage_left_out as (

    select
        metric_code,
        customer_id,
        unattributed_ref,
        case when {{ is_charged }} then subscription_id end as subscription_id,
        case when {{ is_charged }} then period_index end as period_index,
        charge_code,
        case
            when {{ is_charged }} and not {{ lacks_property('group_key') }}
                then group_key
        end as group_key,
        unbilled_reason,
        is_additive,
        cast(sum(event_count) as bigint) as event_count,
        {{ wide_sum('quantity') }},
        bool_and(quantity is not null or unmetered_reason is not null)
            as is_summed,
        min(first_occurred_at) as first_occurred_at,
        max(last_occurred_at) as last_occurred_at,
        min(first_place) as first_place
    from usage_united
    where
        unbilled_reason is not null
        and unbilled_reason not in ('negative_quantity', 'quantity_overflow')
        and event_count > 0
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9

),

usage_metered as (

    select * from usage_charged
    union all
    select
        metric_code,
        customer_id,
        unattributed_ref,
        subscription_id,
        period_index,
        charge_code,
        group_key,
        unbilled_reason,
        event_count,
        case when is_additive and is_summed then {{ quantity_of_sum() }} end
            as quantity,
        case when is_additive then quantity end as value_sum,
        first_occurred_at,
        last_occurred_at,
        first_place as example_place
    from usage_left_out

)

select
    * exclude (example_place),
    {{ file_of_place('example_place') }} as example_file_id,
    {{ line_of_place('example_place') }} as example_line
from usage_metered
