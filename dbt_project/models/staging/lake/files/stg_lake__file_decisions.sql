with

file_decisions as (

    select * from {{ lake_table('file_decisions') }}

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
    coalesce(held, 0) as held,
    coalesce(not_usage, 0) as not_usage
from file_decisions
