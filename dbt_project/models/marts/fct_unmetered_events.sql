with

metered_events as (

    {{ metered_events() }}

),

landing_files as (

    select * from {{ ref('fct_landing_files') }}

),

unmetered_events as (

    select
        metered_events.metric_code,
        metered_events.file_id,
        metered_events.line,
        landing_files.path,
        metered_events.customer_id,
        metered_events.customer_ref,
        metered_events.subscription_ref,
        metered_events.occurred_at,
        metered_events.received_at,
        metered_events.unmetered_reason
    from metered_events
    left join landing_files
        on metered_events.file_id = landing_files.file_id
    where metered_events.unmetered_reason is not null

)

select
    metric_code,
    file_id,
    line,
    path,
    customer_id,
    customer_ref,
    subscription_ref,
    occurred_at,
    received_at,
    unmetered_reason
from unmetered_events
