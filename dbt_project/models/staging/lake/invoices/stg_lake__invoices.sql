with

invoices as (

    select * from {{ lake_table('invoices') }}

)

{# A row of an invoice of format 1 is null where nothing was said. #}
select
    invoice_id,
    series,
    series_number,
    invoice_number,
    kind,
    subscription_id,
    customer_id,
    plan_code,
    currency,
    period_start_at,
    period_end_at,
    cut_at,
    as_of,
    event_batch_id,
    coalesce(subtotal_amount, total_amount) as subtotal_amount,
    coalesce(discount_amount, 0) as discount_amount,
    coalesce(net_amount, total_amount) as net_amount,
    coalesce(tax_amount, 0) as tax_amount,
    total_amount,
    coalesce(credit_amount, 0) as credit_amount,
    coalesce(amount_due, total_amount) as amount_due,
    line_count,
    catalog_digest,
    coalesce(format, 1) as document_format,
    recipe_version,
    terms_digest,
    corrects_invoice_id,
    document_sha256,
    chain_sha256
from invoices
