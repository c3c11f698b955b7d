{{ config(materialized='view') }}

with

metered_events as (

    {{ metered_events() }}

),

metrics_by_period as (

    select * from {{ ref('int_metrics_by_period') }}
    where void_invoice_id is null

),

metrics_per_ref as (

    {{ offered_by_reference('metrics_by_period') }}

),

events_with_charge as (

    select
        metered_events.*,
        metrics_per_ref.subscription_id,
        metrics_per_ref.period_index,
        metrics_per_ref.cut_at,
        metrics_per_ref.finalized_batch_id,
        {{ charge_taking('metrics_per_ref.charges',
            flat_properties('metered_events.dimensions')) }} as charge
    from metered_events
    left join metrics_per_ref
        on {{ is_offered('metrics_per_ref', 'metered_events') }}

)

select
    metric_code,
    file_id,
    line,
    batch_id,
    occurred_at,
    received_at,
    customer_ref,
    subscription_ref,
    customer_id,
    dimensions,
    {{ value_columns() }},
    unmetered_reason,
    subscription_id,
    period_index,
    charge.charge_code,
    {{ event_group_key('charge.group_by', 'dimensions',
        'charge.missing_dimension') }} as group_key,
    cut_at,
    finalized_batch_id,
    charge.has_started,
    charge.cells,
    subscription_id is not null as is_charged
from events_with_charge
