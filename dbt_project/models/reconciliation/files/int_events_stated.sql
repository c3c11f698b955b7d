with

files_decided as (

    select * from {{ ref('int_files_decided') }}

),

file_lines_accepted as (

    select * from {{ ref('int_file_lines_accepted') }}

),

file_lines_refused as (

    select * from {{ ref('int_file_lines_refused') }}

),

files_in_progress as (

    select * from {{ ref('stg_landing__files_in_progress') }}

),

lines_with_state as (

    select
        file_id,
        case when state_reason is null then 'processed' else 'unprocessed' end
            as state,
        state_reason as reason
    from file_lines_accepted
    union all
    select
        file_id,
        'unprocessed' as state,
        state_reason as reason
    from file_lines_refused
    where
        verdict not in ('duplicate', 'not_usage')
        and healed_by_file_id is null

),

states_per_file as (

    select
        file_id,
        state,
        reason,
        count(*) as event_count
    from lines_with_state
    group by file_id, state, reason
    union all
    select
        file_id,
        'unprocessed' as state,
        case
            when status = 'held' then 'held'
            else coalesce(reason_code, 'unreadable_file')
        end as reason,
        case status when 'held' then held_count end as event_count
    from files_decided
    where status in ('held', 'quarantined') and healed_by_file_id is null

)

select
    files_decided.source,
    files_decided.path,
    files_decided.file_id,
    files_decided.received_at,
    states_per_file.state,
    states_per_file.reason,
    states_per_file.event_count
from states_per_file
left join files_decided
    on states_per_file.file_id = files_decided.file_id
union all
select
    source,
    path,
    null as file_id,
    received_at,
    'in_progress' as state,
    null as reason,
    null as event_count
from files_in_progress
