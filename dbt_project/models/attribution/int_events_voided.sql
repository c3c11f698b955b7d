{# The few metrics of void invoices are joined first: nearly always there is
   none, and no event is looked at. #}
with

metered_events as (

    {{ metered_events() }}

),

metrics_by_period as (

    select * from {{ ref('int_metrics_by_period') }}
    where void_invoice_id is not null

),

metrics_valid as (

    select * from {{ ref('int_metrics_by_reference') }}

),

metrics_voided as (

    {{ offered_by_reference('metrics_by_period') }}

),

events_of_void_invoices as (

    select metered_events.*
    from metered_events
    inner join metrics_voided
        on {{ is_offered('metrics_voided', 'metered_events') }}

),

events_voided as (

    select distinct
        events_of_void_invoices.metric_code,
        events_of_void_invoices.file_id,
        events_of_void_invoices.line
    from events_of_void_invoices
    left join metrics_valid
        on {{ is_offered('metrics_valid', 'events_of_void_invoices') }}
    where metrics_valid.metric_code is null

)

select * from events_voided
