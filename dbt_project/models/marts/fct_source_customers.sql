with

event_counts as (

    select * from {{ ref('int_events_counted') }}

),

source_customers as (

    select
        source,
        customer_id,
        min(first_received_at) as first_received_at,
        sum(event_count) as event_count
    from event_counts
    where customer_id is not null
    group by source, customer_id

)

select
    source,
    customer_id,
    first_received_at,
    cast(event_count as bigint) as event_count
from source_customers
