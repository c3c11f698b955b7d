with

landing_files as (

    select * from {{ ref('stg_lake__landing_files') }}

),

file_decisions as (

    select * from {{ ref('stg_lake__file_decisions') }}

),

decisions_from_latest as (

    select
        *,
        row_number() over (partition by file_id order by revision desc) as place
    from file_decisions

),

latest_decisions as (

    select * from decisions_from_latest
    where place = 1

),

decided_files as (

    select landing_files.*
    from landing_files
    inner join latest_decisions
        on landing_files.file_id = latest_decisions.file_id
    where latest_decisions.status = 'decided'

),

corrections as (

    select
        corrects_file_id,
        min(file_id) as file_id
    from decided_files
    where corrects_file_id is not null
    group by corrects_file_id

),

newest_versions as (

    select
        path,
        max(file_id) as file_id
    from decided_files
    group by path

),

files_with_decision as (

    select
        landing_files.file_id,
        landing_files.source,
        landing_files.path,
        landing_files.size_bytes,
        landing_files.received_at,
        latest_decisions.batch_id,
        coalesce(latest_decisions.revision, 0) as revision,
        coalesce(latest_decisions.status, 'pending') as status,
        latest_decisions.reason_code,
        latest_decisions.reason,
        coalesce(latest_decisions.lines, 0) as line_count,
        coalesce(latest_decisions.accepted, 0) as accepted_count,
        coalesce(latest_decisions.duplicate, 0) as duplicate_count,
        coalesce(latest_decisions.conflict, 0) as conflict_count,
        coalesce(latest_decisions.rejected, 0) as rejected_count,
        coalesce(latest_decisions.blank, 0) as blank_count,
        coalesce(latest_decisions.held, 0) as held_count,
        coalesce(latest_decisions.not_usage, 0) as not_usage_count,
        case
            when corrections.file_id is not null then corrections.file_id
            when
                coalesce(latest_decisions.status, 'pending') != 'decided'
                and newest_versions.file_id > landing_files.file_id
                then newest_versions.file_id
        end as healed_by_file_id
    from landing_files
    left join latest_decisions
        on landing_files.file_id = latest_decisions.file_id
    left join corrections
        on landing_files.file_id = corrections.corrects_file_id
    left join newest_versions
        on landing_files.path = newest_versions.path

)

select * from files_with_decision
