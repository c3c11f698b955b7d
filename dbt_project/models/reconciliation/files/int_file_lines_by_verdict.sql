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
        count(case when verdict = 'accepted' then 1 end) as accepted_count,
        count(case when verdict = 'duplicate' then 1 end) as duplicate_count,
        count(case when verdict = 'conflict' then 1 end) as conflict_count,
        count(case when verdict = 'rejected' then 1 end) as rejected_count,
        count(case when verdict = 'not_usage' then 1 end) as not_usage_count
    from line_verdicts
    group by file_id

)

select * from lines_per_file
