with

invoices as (

    select * from {{ ref('int_invoices_united') }}
    where status in ('finalized', 'unnumbered')

),

invoice_lines as (

    select * from {{ ref('stg_lake__invoice_lines') }}
    where
        kind = 'usage'
        and invoice_id in (select invoices.invoice_id from invoices)

),

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

usage_metered as (

    select * from {{ ref('int_usage_metered') }}

),

closed_periods as (

    select * from {{ ref('stg_lake__closed_periods') }}

),

closings_compared as (

    select * from {{ ref('int_closings_compared') }}

),

usage_closed as (

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
        coalesce(usage_closed.event_count, 0) as recomputed_event_count,
        coalesce(usage_closed.quantity, 0) as recomputed_quantity
    from invoice_lines
    full join usage_closed
        using (invoice_id, charge_code, group_key, metric_code)

)

select
    lines_compared.*,
    invoices.subscription_id,
    invoices.customer_id,
    billing_periods.period_index,
    closings_compared.difference_cause
from lines_compared
left join invoices
    on lines_compared.invoice_id = invoices.invoice_id
left join billing_periods
    on lines_compared.invoice_id = billing_periods.invoice_id
left join closed_periods
    on lines_compared.invoice_id = closed_periods.invoice_id
left join closings_compared
    on
        lines_compared.metric_code = closings_compared.metric_code
        and closed_periods.catalog_digest = closings_compared.catalog_digest
        and coalesce(closed_periods.definitions_digest, '')
        = coalesce(closings_compared.definitions_digest, '')
