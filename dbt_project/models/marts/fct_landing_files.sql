with

files_decided as (

    select * from {{ ref('int_files_decided') }}

),

file_lines_by_verdict as (

    select * from {{ ref('int_file_lines_by_verdict') }}

),

files_with_counts as (

    select
        files_decided.*,
        coalesce(file_lines_by_verdict.line_count, 0)
        + files_decided.blank_count
        + files_decided.held_count as found_line_count
    from files_decided
    left join file_lines_by_verdict
        on files_decided.file_id = file_lines_by_verdict.file_id

)

select
    file_id,
    source,
    path,
    size_bytes,
    received_at,
    batch_id,
    revision,
    status,
    reason_code,
    reason,
    line_count,
    accepted_count,
    duplicate_count,
    conflict_count,
    rejected_count,
    blank_count,
    held_count,
    not_usage_count,
    healed_by_file_id,
    found_line_count
from files_with_counts
