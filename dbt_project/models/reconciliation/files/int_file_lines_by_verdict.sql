with

accepted_events as (

    select * from {{ ref('stg_lake__accepted_events') }}

),

file_lines_refused as (

    select * from {{ ref('int_file_lines_refused') }}

),

line_verdicts as (

    select
        file_id,
        'accepted' as verdict
    from accepted_events
    union all
    select
        file_id,
        verdict
    from file_lines_refused

),

lines_per_file as (

    select
        file_id,
        count(*) as line_count,
        count(*) filter (where verdict = 'accepted') as accepted_count,
        count(*) filter (where verdict = 'duplicate') as duplicate_count,
        count(*) filter (where verdict = 'conflict') as conflict_count,
        count(*) filter (where verdict = 'rejected') as rejected_count
    from line_verdicts
    group by file_id

)

select * from lines_per_file
