with

file_decisions as (

    select * from {{ source('lake', 'file_decisions') }}

)

select
    batch_id,
    file_id,
    revision,
    status,
    reason_code,
    reason,
    raw_bytes,
    raw_sha256,
    lines,
    accepted,
    duplicate,
    conflict,
    rejected,
    blank,
    coalesce(held, 0) as held
from file_decisions
