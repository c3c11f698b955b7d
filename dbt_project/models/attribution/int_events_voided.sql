{# The few charges of void invoices are joined first: nearly always there is
   none, and no event is looked at. #}
with

metered_events as (

    {{ metered_events() }}

),

charges_by_period as (

    select * from {{ ref('int_charges_by_period') }}
    where void_invoice_id is not null

),

charges_valid as (

    select * from {{ ref('int_charges_by_reference') }}

),

charges_voided as (

    {{ offered_by_reference('charges_by_period') }}

),

events_of_void_invoices as (

    select metered_events.*
    from metered_events
    inner join charges_voided
        on {{ is_offered('charges_voided', 'metered_events') }}

),

events_voided as (

    select distinct
        events_of_void_invoices.metric_code,
        events_of_void_invoices.file_id,
        events_of_void_invoices.line
    from events_of_void_invoices
    left join charges_valid
        on {{ is_offered('charges_valid', 'events_of_void_invoices') }}
    where charges_valid.charge_code is null

)

select * from events_voided
