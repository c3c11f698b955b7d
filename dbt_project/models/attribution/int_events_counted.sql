with

events_attributed as (

    select * from {{ ref('int_events_attributed') }}

),

metered_events as (

    {{ metered_events() }}

),

events_with_metering as (

    select
        file_id,
        line,
        source,
        event_name,
        customer_id,
        occurred_at,
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
        min(received_at) as first_received_at,
        min(occurred_at) as first_occurred_at,
        max(occurred_at) as last_occurred_at,
        min({{ place('file_id', 'line') }}) filter (
            where not is_metered
        ) as example
    from events_with_metering
    group by source, event_name, customer_id, unattributed_ref, is_metered

)

select
    event_counts.source,
    event_counts.event_name,
    event_counts.customer_id,
    event_counts.unattributed_ref,
    event_counts.is_metered,
    event_counts.event_count,
    event_counts.first_received_at,
    event_counts.first_occurred_at,
    event_counts.last_occurred_at,
    event_counts.example.file_id as example_file_id,
    event_counts.example.line as example_line
from event_counts
