{# An unreadable file has no lines that anybody counted. #}
{{ config(meta={'what_to_do': (
    'run `meterline run` again; if it says the same, rows of the'
    ~ ' lake were changed, so restore the home from a backup'
)}) }}

with

landing_files as (

    select * from {{ ref('fct_landing_files') }}

),

event_states as (

    select * from {{ ref('fct_event_states') }}

),

states_per_file as (

    select
        file_id,
        sum(event_count) as event_count
    from event_states
    where file_id is not null
    group by file_id

)

select
    landing_files.path,
    landing_files.file_id,
    landing_files.status,
    landing_files.line_count,
    landing_files.line_count - coalesce(states_per_file.event_count, 0)
    - landing_files.duplicate_count - landing_files.blank_count
    - landing_files.not_usage_count as difference
from landing_files
left join states_per_file
    on landing_files.file_id = states_per_file.file_id
where
    landing_files.healed_by_file_id is null
    and landing_files.line_count != coalesce(states_per_file.event_count, 0)
    + landing_files.duplicate_count + landing_files.blank_count
    + landing_files.not_usage_count
