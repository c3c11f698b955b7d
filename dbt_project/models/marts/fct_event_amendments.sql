with

amendments_matched as (

    select * from {{ ref('int_amendments_matched') }}

),

versions_judged as (

    select * from {{ ref('int_versions_judged') }}

),

files_decided as (

    select * from {{ ref('int_files_decided') }}

),

states_per_amendment as (

    select
        file_id,
        line,
        bool_or(amendment_state = 'late') as is_late,
        bool_or(amendment_state = 'current') as is_current
    from versions_judged
    group by file_id, line

),

{# What no metric matches is on no invoice: the last amendment counts. #}
amendments_with_state as (

    select
        amendments_matched.*,
        files_decided.source,
        files_decided.path,
        files_decided.received_at,
        target_files.path as target_path,
        case
            when amendments_matched.target_file_id is null then 'waiting'
            when states_per_amendment.is_late then 'late'
            when
                coalesce(
                    states_per_amendment.is_current,
                    amendments_matched.version_number
                    = max(amendments_matched.version_number) over (
                        partition by
                            amendments_matched.target_file_id,
                            amendments_matched.target_line
                    )
                )
                then 'applied'
            else 'superseded'
        end as state
    from amendments_matched
    left join states_per_amendment
        on
            amendments_matched.file_id = states_per_amendment.file_id
            and amendments_matched.line = states_per_amendment.line
    left join files_decided
        on amendments_matched.file_id = files_decided.file_id
    left join files_decided as target_files
        on amendments_matched.target_file_id = target_files.file_id

)

select
    file_id,
    line,
    source,
    path,
    received_at,
    idempotency_key,
    amendment,
    target_key,
    target_file_id,
    target_line,
    target_path,
    state
from amendments_with_state
