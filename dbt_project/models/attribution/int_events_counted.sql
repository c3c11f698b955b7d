with

events_attributed as (

    select * from {{ ref('int_events_attributed') }}

),

metered_events as (

    {{ metered_events() }}

),

events_with_metering as (

    select
        source,
        event_name,
        customer_id,
        received_at,
        case
            when customer_id is null
                then coalesce(subscription_ref, customer_ref)
        end as unattributed_ref,
        (file_id, line) in (
            select
                metered_events.file_id,
                metered_events.line
            from metered_events
        ) as is_metered
    from events_attributed

),

event_counts as (

    select
        source,
        event_name,
        customer_id,
        unattributed_ref,
        is_metered,
        count(*) as event_count,
        min(received_at) as first_received_at
    from events_with_metering
    group by source, event_name, customer_id, unattributed_ref, is_metered

)

select * from event_counts
