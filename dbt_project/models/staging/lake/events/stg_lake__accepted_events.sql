with

accepted_events as (

    select * from {{ lake_table('accepted_events') }}

)

select
    batch_id,
    file_id,
    line,
    byte_offset,
    byte_length,
    source,
    dedupe_scope,
    idempotency_key,
    customer_ref,
    subscription_ref,
    event_name,
    occurred_at,
    received_at,
    properties,
    amendment,
    target_key
from accepted_events
