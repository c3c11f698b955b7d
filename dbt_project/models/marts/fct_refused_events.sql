with

file_lines_refused as (

    select * from {{ ref('int_file_lines_refused') }}

),

files_decided as (

    select * from {{ ref('int_files_decided') }}

),

lines_with_winner as (

    select
        file_lines_refused.*,
        winner_files.path as winner_path
    from file_lines_refused
    left join files_decided as winner_files
        on file_lines_refused.winner_file_id = winner_files.file_id

)

select
    file_id,
    line,
    source,
    path,
    file_status,
    revision,
    byte_offset,
    byte_length,
    line_sha256,
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
    payload_digest,
    winner_file_id,
    winner_line,
    winner_path,
    amendment,
    target_key,
    healed_by_file_id
from lines_with_winner
