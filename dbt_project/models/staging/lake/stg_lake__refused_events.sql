with

refused_events as (

    select * from {{ source('lake', 'refused_events') }}

)

select
    batch_id,
    file_id,
    line,
    byte_offset,
    byte_length,
    source,
    received_at,
    verdict,
    reason_code,
    reason,
    idempotency_key,
    customer_ref,
    subscription_ref,
    event_name,
    occurred_at,
    properties,
    winner_file_id,
    winner_line,
    amendment,
    target_key
from refused_events
