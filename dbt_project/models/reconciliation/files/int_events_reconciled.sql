with

files_decided as (

    select * from {{ ref('int_files_decided') }}

),

file_lines_by_verdict as (

    select * from {{ ref('int_file_lines_by_verdict') }}

),

events_counted as (

    select * from {{ ref('int_events_counted') }}

),

amendments_matched as (

    select * from {{ ref('int_amendments_matched') }}

),

lines_per_source as (

    select
        'lines_decided' as identity,
        files_decided.source as subject,
        'line' as unit,
        sum(files_decided.line_count) as expected,
        sum(
            coalesce(file_lines_by_verdict.line_count, 0)
            + files_decided.blank_count
            + files_decided.held_count
        ) as actual
    from files_decided
    left join file_lines_by_verdict
        on files_decided.file_id = file_lines_by_verdict.file_id
    group by files_decided.source

),

accepted_total as (

    select coalesce(sum(accepted_count), 0) as event_count
    from file_lines_by_verdict

),

attributed_total as (

    select coalesce(sum(event_count), 0) as event_count
    from events_counted

),

{# A void carries no usage that could be attributed. #}
void_total as (

    select count(*) as event_count
    from amendments_matched
    where amendment = 'void'

),

event_identities as (

    select * from lines_per_source
    union all
    select
        'events_attributed' as identity,
        'all' as subject,
        'event' as unit,
        accepted_total.event_count as expected,
        attributed_total.event_count + void_total.event_count as actual
    from accepted_total
    cross join attributed_total
    cross join void_total

)

select
    identity,
    subject,
    unit,
    cast(expected as decimal(38, 18)) as expected,
    cast(actual as decimal(38, 18)) as actual
from event_identities
