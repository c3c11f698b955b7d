-- depends_on: {{ ref('int_usage_kept') }}

with

event_counts as (

    select
        source,
        event_name,
        customer_id,
        case
            when customer_id is null
                then coalesce(subscription_ref, customer_ref)
        end as unattributed_ref,
        is_metered,
        cast(sum(event_count) as bigint) as event_count,
        min(first_received_at) as first_received_at,
        min(first_occurred_at) as first_occurred_at,
        max(last_occurred_at) as last_occurred_at,
        min(case when not is_metered then first_place end) as example_place
    from {{ kept('counts') }}
    group by 1, 2, 3, 4, 5

)

select
    * exclude (example_place),
    {{ file_of_place('example_place') }} as example_file_id,
    {{ line_of_place('example_place') }} as example_line
from event_counts
