with

invoice_lines as (

    select * from {{ ref('int_invoice_lines_united') }}

),

invoices as (

    select * from {{ ref('fct_invoices') }}

),

charges as (

    select * from {{ ref('dim_charges') }}

),

metrics as (

    select * from {{ ref('dim_billable_metrics') }}

),

lines_with_invoice as (

    select
        invoice_lines.* exclude (unit),
        invoices.status,
        invoices.invoice_number,
        invoices.subscription_id,
        invoices.customer_id,
        invoices.customer_name,
        invoices.plan_code,
        invoices.plan_name,
        coalesce(charges.name, invoice_lines.charge_code) as charge_name,
        invoices.time_zone,
        invoices.period_start_date,
        invoices.period_end_date,
        invoices.period_start_at,
        invoices.period_end_at,
        coalesce(invoice_lines.unit, metrics.unit) as unit
    from invoice_lines
    left join invoices
        on invoice_lines.invoice_id = invoices.invoice_id
    left join charges
        on
            invoices.plan_code = charges.plan_code
            and invoice_lines.charge_code = charges.charge_code
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
    customer_name,
    plan_code,
    plan_name,
    time_zone,
    period_start_date,
    period_end_date,
    period_start_at,
    period_end_at,
    kind,
    charge_code,
    charge_name,
    metric_code,
    charge_model,
    group_key,
    service_start_at,
    service_end_at,
    price_valid_from,
    price_digest,
    event_count,
    quantity,
    billed_quantity,
    unit,
    unit_price,
    currency,
    amount_unrounded,
    amount,
    discount_amount,
    net_amount,
    tax_amount,
    credit_amount,
    share_days,
    share_of_days,
    adjusts_line_id,
    tiers
from lines_with_invoice
