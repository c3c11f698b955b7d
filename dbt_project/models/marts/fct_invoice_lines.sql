with

invoice_lines as (

    select * from {{ ref('int_invoice_lines_united') }}

),

invoices as (

    select * from {{ ref('int_invoices_united') }}

),

metrics as (

    select * from {{ ref('dim_billable_metrics') }}

),

lines_with_invoice as (

    select
        invoice_lines.*,
        invoices.status,
        invoices.invoice_number,
        invoices.subscription_id,
        invoices.customer_id,
        invoices.period_start_at,
        invoices.period_end_at,
        invoices.currency,
        metrics.unit
    from invoice_lines
    left join invoices
        on invoice_lines.invoice_id = invoices.invoice_id
    left join metrics
        on invoice_lines.metric_code = metrics.metric_code

)

select
    line_id,
    invoice_id,
    status,
    invoice_number,
    line_number,
    subscription_id,
    customer_id,
    period_start_at,
    period_end_at,
    charge_code,
    metric_code,
    charge_model,
    group_key,
    price_valid_from,
    event_count,
    quantity,
    unit,
    currency,
    amount,
    tiers
from lines_with_invoice
