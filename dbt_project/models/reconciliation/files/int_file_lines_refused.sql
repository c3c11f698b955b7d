{{ config(materialized='view') }}

with

refused_events as (

    select * from {{ ref('stg_lake__refused_events') }}

),

files_decided as (

    select * from {{ ref('int_files_decided') }}

),

refused_lines as (

    select
        refused_events.*,
        files_decided.path,
        files_decided.status as file_status,
        files_decided.healed_by_file_id,
        coalesce(refused_events.reason_code, refused_events.verdict)
            as state_reason
    from refused_events
    inner join files_decided
        on
            refused_events.file_id = files_decided.file_id
            and refused_events.revision = files_decided.revision

)

select * from refused_lines
