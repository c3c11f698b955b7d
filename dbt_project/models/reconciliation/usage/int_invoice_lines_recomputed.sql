with

{# Also periods that are closed without an invoice: their usage is closed. #}
invoices as (

    select
        invoice_id,
        subscription_id,
        customer_id,
        catalog_digest
    from {{ ref('int_invoices_united') }}
    where status in ('finalized', 'unnumbered')

),

invoice_lines as (

    select * from {{ ref('stg_lake__invoice_lines') }}
    where invoice_id in (select invoices.invoice_id from invoices)

),

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

usage_metered as (

    select * from {{ ref('int_usage_metered') }}

),

clock as (

    select * from {{ ref('stg_calendar__clock') }}

),

closed_periods as (

    select * from {{ ref('stg_lake__closed_periods') }}

),

definitions_compared as (

    select * from {{ ref('int_definitions_compared') }}

),

usage_of_finalized_periods as (

    select
        invoices.invoice_id,
        usage_metered.charge_code,
        usage_metered.group_key,
        usage_metered.metric_code,
        usage_metered.event_count,
        usage_metered.quantity
    from usage_metered
    inner join billing_periods
        on
            usage_metered.subscription_id = billing_periods.subscription_id
            and usage_metered.period_index = billing_periods.period_index
    inner join invoices
        on billing_periods.invoice_id = invoices.invoice_id
    where usage_metered.unbilled_reason is null

),

lines_compared as (

    select
        invoice_id,
        charge_code,
        group_key,
        metric_code,
        coalesce(invoice_lines.event_count, 0) as invoiced_event_count,
        coalesce(invoice_lines.quantity, 0) as invoiced_quantity,
        coalesce(usage_of_finalized_periods.event_count, 0)
            as recomputed_event_count,
        coalesce(usage_of_finalized_periods.quantity, 0) as recomputed_quantity
    from invoice_lines
    full join usage_of_finalized_periods
        using (invoice_id, charge_code, group_key, metric_code)

),

{# A metric that the closing did not know has no row in its definitions. #}
lines_with_changes as (

    select
        lines_compared.*,
        invoices.subscription_id,
        invoices.customer_id,
        billing_periods.period_index,
        invoices.catalog_digest is not distinct from clock.catalog_digest
            as is_catalog_unchanged,
        closed_periods.definitions_digest is not null as is_definition_kept,
        coalesce(definitions_compared.is_unchanged, false)
            as is_definition_unchanged
    from lines_compared
    cross join clock
    left join invoices
        on lines_compared.invoice_id = invoices.invoice_id
    left join billing_periods
        on lines_compared.invoice_id = billing_periods.invoice_id
    left join closed_periods
        on lines_compared.invoice_id = closed_periods.invoice_id
    left join definitions_compared
        on
            closed_periods.definitions_digest
            = definitions_compared.definitions_digest
            and lines_compared.metric_code = definitions_compared.metric_code

),

lines_with_cause as (

    select
        lines_with_changes.* exclude (
            is_catalog_unchanged, is_definition_kept, is_definition_unchanged
        ),
        case
            when is_catalog_unchanged and is_definition_unchanged then null
            when not is_catalog_unchanged and not is_definition_unchanged
                then 'catalog_or_definition'
            when not is_catalog_unchanged then 'catalog'
            when is_definition_kept then 'definition'
            else 'unknown'
        end as difference_cause
    from lines_with_changes

)

select * from lines_with_cause
