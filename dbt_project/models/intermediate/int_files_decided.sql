{{ config(tags='marts') }}

with

landing_files as (

    select * from {{ ref('stg_lake__landing_files') }}

),

file_decisions as (

    select * from {{ ref('stg_lake__file_decisions') }}

),

latest_decisions as (

    select * from file_decisions
    qualify
        row_number() over (partition by file_id order by revision desc) = 1

),

files_with_decision as (

    select
        landing_files.file_id,
        landing_files.source,
        landing_files.path,
        landing_files.size_bytes,
        landing_files.received_at,
        latest_decisions.batch_id,
        coalesce(latest_decisions.status, 'pending') as status,
        latest_decisions.reason,
        coalesce(latest_decisions.lines, 0) as line_count,
        coalesce(latest_decisions.accepted, 0) as accepted_count,
        coalesce(latest_decisions.duplicate, 0) as duplicate_count,
        coalesce(latest_decisions.conflict, 0) as conflict_count,
        coalesce(latest_decisions.rejected, 0) as rejected_count,
        coalesce(latest_decisions.blank, 0) as blank_count
    from landing_files
    left join latest_decisions
        on landing_files.file_id = latest_decisions.file_id

)

select * from files_with_decision
