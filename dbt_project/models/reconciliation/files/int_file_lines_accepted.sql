{{ config(materialized='view') }}

with

events_attributed as (

    select * from {{ ref('int_events_attributed') }}

),

amendments_matched as (

    select * from {{ ref('int_amendments_matched') }}

),

{# A void has no customer, so it is not among the events attributed. #}
accepted_lines as (

    select
        events_attributed.file_id,
        events_attributed.line,
        case
            when
                amendments_matched.file_id is not null
                and amendments_matched.target_file_id is null
                then 'amendment_waiting'
            when events_attributed.customer_id is null then 'unattributed'
        end as state_reason
    from events_attributed
    left join amendments_matched
        on
            events_attributed.file_id = amendments_matched.file_id
            and events_attributed.line = amendments_matched.line
    union all
    select
        file_id,
        line,
        case when target_file_id is null then 'amendment_waiting' end
            as state_reason
    from amendments_matched
    where amendment = 'void'

)

select * from accepted_lines
