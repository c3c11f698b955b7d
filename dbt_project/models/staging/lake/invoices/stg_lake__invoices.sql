with

invoices as (

    select * from {{ lake_table('invoices') }}

)

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
    total_amount,
    line_count,
    catalog_digest,
    document_sha256,
    chain_sha256
from invoices
