with

refused_events as (

    select * from {{ lake_table('refused_events') }}

)

select
    batch_id,
    file_id,
    line,
    byte_offset,
    byte_length,
    lower(hex(line_sha256)) as line_sha256,
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
    lower(hex(payload_digest)) as payload_digest,
    winner_file_id,
    winner_line,
    amendment,
    target_key,
    coalesce(revision, 0) as revision
from refused_events
