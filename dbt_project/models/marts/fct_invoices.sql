with

invoices as (

    select * from {{ ref('int_invoices_united') }}

),

billing_periods as (

    select * from {{ ref('int_periods_united') }}

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

),

invoices_with_names as (

    select
        invoices.*,
        customers.name as customer_name,
        coalesce(plans.name, invoices.plan_code) as plan_name,
        billing_periods.time_zone,
        billing_periods.period_start_date,
        billing_periods.period_end_date,
        cast(coalesce(events_per_invoice.event_count, 0) as bigint)
            as event_count
    from invoices
    left join customers
        on invoices.customer_id = customers.customer_id
    left join plans
        on invoices.plan_code = plans.plan_code
    left join billing_periods
        on invoices.invoice_id = billing_periods.invoice_id
    left join events_per_invoice
        on invoices.invoice_id = events_per_invoice.invoice_id

)

select
    invoice_id,
    status,
    invoice_number,
    series,
    series_number,
    subscription_id,
    customer_id,
    customer_name,
    plan_code,
    plan_name,
    time_zone,
    period_start_date,
    period_end_date,
    period_start_at,
    period_end_at,
    cut_at,
    finalized_as_of,
    voided_as_of,
    void_reason,
    currency,
    subtotal_amount,
    discount_amount,
    net_amount,
    tax_amount,
    total_amount,
    credit_amount,
    amount_due,
    line_count,
    event_count,
    fault,
    catalog_digest,
    document_format,
    recipe_version,
    terms_digest,
    corrects_invoice_id,
    document_sha256,
    chain_sha256
from invoices_with_names
