with

invoices as (

    select * from {{ ref('int_invoices_united') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

invoices_with_customer as (

    select
        invoices.*,
        customers.name as customer_name
    from invoices
    left join customers
        on invoices.customer_id = customers.customer_id

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
    period_start_at,
    period_end_at,
    cut_at,
    finalized_as_of,
    voided_as_of,
    void_reason,
    currency,
    total_amount,
    line_count,
    catalog_digest,
    document_sha256,
    chain_sha256
from invoices_with_customer
