with

refused_events as (

    select * from {{ ref('stg_lake__refused_events') }}

),

files_decided as (

    select * from {{ ref('int_files_decided') }}

),

refused_with_paths as (

    select
        refused_events.*,
        files_decided.path,
        winner_files.path as winner_path
    from refused_events
    left join files_decided
        on refused_events.file_id = files_decided.file_id
    left join files_decided as winner_files
        on refused_events.winner_file_id = winner_files.file_id

)

select
    file_id,
    line,
    source,
    path,
    byte_offset,
    byte_length,
    received_at,
    verdict,
    reason_code,
    reason,
    idempotency_key,
    customer_ref,
    subscription_ref,
    event_name,
    occurred_at,
    cast(to_json(properties) as varchar) as properties,
    winner_file_id,
    winner_line,
    winner_path,
    amendment,
    target_key
from refused_with_paths
