with

invoices as (

    select * from {{ ref('int_invoices_united') }}

),

{# An invoice that was reissued, or has fees in advance alone, is of the period
   that its id begins with. That period may have gone since. #}
billing_periods as (

    select
        *,
        regexp_replace(invoice_id, '/r[0-9]+$', '') as period_name
    from {{ ref('int_periods_united') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

plans as (

    select * from {{ ref('dim_plans') }}

),

events_per_invoice as (

    select
        invoice_id,
        sum(event_count) as event_count
    from {{ ref('int_invoice_lines_united') }}
    group by invoice_id

)

select
    invoices.invoice_id,
    invoices.status,
    invoices.invoice_number,
    invoices.series,
    invoices.series_number,
    invoices.kind,
    invoices.subscription_id,
    invoices.customer_id,
    customers.name as customer_name,
    invoices.plan_code,
    coalesce(plans.name, invoices.plan_code) as plan_name,
    coalesce(billing_periods.time_zone, customers.time_zone) as time_zone,
    coalesce(
        billing_periods.period_start_date,
        cast(timezone(customers.time_zone, invoices.period_start_at) as date)
    ) as period_start_date,
    coalesce(
        billing_periods.period_end_date,
        cast(timezone(customers.time_zone, invoices.period_end_at) as date)
    ) as period_end_date,
    invoices.period_start_at,
    invoices.period_end_at,
    invoices.cut_at,
    invoices.finalized_as_of,
    invoices.voided_as_of,
    invoices.void_reason,
    invoices.currency,
    invoices.subtotal_amount,
    invoices.discount_amount,
    invoices.net_amount,
    invoices.tax_amount,
    invoices.total_amount,
    invoices.credit_amount,
    invoices.amount_due,
    invoices.line_count,
    cast(coalesce(events_per_invoice.event_count, 0) as bigint) as event_count,
    invoices.fault,
    invoices.catalog_digest,
    invoices.document_format,
    invoices.recipe_version,
    invoices.terms_digest,
    invoices.corrects_invoice_id,
    invoices.document_sha256,
    invoices.chain_sha256
from invoices
left join customers
    on invoices.customer_id = customers.customer_id
left join plans
    on invoices.plan_code = plans.plan_code
left join billing_periods
    on
        regexp_replace(invoices.invoice_id, '(/advance)?(/r[0-9]+)?$', '')
        = billing_periods.period_name
left join events_per_invoice
    on invoices.invoice_id = events_per_invoice.invoice_id
