{{ config(tags='billing') }}

with

events_attributed as (

    select * from {{ ref('int_events_attributed') }}

),

events_assigned as (

    select * from {{ ref('int_events_assigned') }}

),

events_per_name as (

    select
        events_attributed.source,
        events_attributed.event_name,
        events_attributed.customer_id,
        case
            when events_attributed.customer_id is null
                then events_attributed.customer_ref
        end as unattributed_ref,
        exists (
            select 1
            from events_assigned
            where
                events_assigned.file_id = events_attributed.file_id
                and events_assigned.line = events_attributed.line
        ) as is_metered,
        count(*) as event_count
    from events_attributed
    group by all

)

select * from events_per_name
