{# A view: customers are joined anew to all events each time, so that a new
   alias or subscription heals the past without touching an event. Each
   condition compares one side with the other: an `or` would make DuckDB try all
   pairs. #}
{{ config(materialized='view') }}

with

accepted_events as (

    select * from {{ ref('stg_lake__accepted_events') }}
    where amendment is distinct from 'void'

),

customer_names as (

    select * from {{ ref('stg_calendar__customer_names') }}

),

subscriptions as (

    select * from {{ ref('stg_catalog__subscriptions') }}

),

auto_customer_sources as (

    select * from {{ ref('stg_calendar__auto_customer_sources') }}

),

events_with_customer as (

    select
        accepted_events.batch_id,
        accepted_events.file_id,
        accepted_events.line,
        accepted_events.source,
        case
            when accepted_events.subscription_ref is null
                then
                    coalesce(
                        customer_names.customer_id,
                        case
                            when auto_customer_sources.source is not null
                                then accepted_events.customer_ref
                        end
                    )
            when
                coalesce(customer_names.customer_id, subscriptions.customer_id)
                = subscriptions.customer_id
                then subscriptions.customer_id
        end as customer_id,
        accepted_events.customer_ref,
        accepted_events.subscription_ref,
        accepted_events.event_name,
        accepted_events.occurred_at,
        accepted_events.received_at,
        accepted_events.properties
    from accepted_events
    left join customer_names
        on
            accepted_events.customer_ref = customer_names.name
            and accepted_events.occurred_at
            >= coalesce(customer_names.valid_from_at, {{ distant_past() }})
            and accepted_events.occurred_at
            < coalesce(customer_names.valid_to_at, {{ distant_future() }})
    left join subscriptions
        on accepted_events.subscription_ref = subscriptions.subscription_id
    left join auto_customer_sources
        on accepted_events.source = auto_customer_sources.source

)

select * from events_with_customer
