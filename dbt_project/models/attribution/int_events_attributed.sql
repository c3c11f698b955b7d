{# A view: customers are joined anew to all events each time, so that a new
   alias or subscription heals the past without touching an event. #}
{{ config(materialized='view') }}

with

accepted_events as (

    select * from {{ ref('stg_lake__accepted_events') }}
    where {{ is_standing() }}

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

    {{ with_customer(
        'accepted_events', 'customer_names', 'subscriptions',
        'auto_customer_sources'
    ) }}

)

select
    batch_id,
    file_id,
    line,
    source,
    customer_id,
    customer_ref,
    subscription_ref,
    event_name,
    occurred_at,
    received_at,
    properties
from events_with_customer
