with

invoices as (

    select * from {{ ref('stg_lake__invoices') }}

),

invoices_drafted as (

    select * from {{ ref('int_invoices_drafted') }}

),

{# Drafts are made before the close; what it finalized is a draft no more. #}
open_drafts as (

    select invoices_drafted.*
    from invoices_drafted
    left join invoices
        on invoices_drafted.invoice_id = invoices.invoice_id
    where invoices.invoice_id is null

),

finalized_and_drafts as (

    select
        invoice_id,
        'finalized' as status,
        invoice_number,
        series,
        series_number,
        subscription_id,
        customer_id,
        plan_code,
        period_start_at,
        period_end_at,
        cut_at,
        as_of as finalized_as_of,
        currency,
        total_amount,
        line_count,
        catalog_digest,
        document_sha256,
        chain_sha256
    from invoices
    union all
    select
        invoice_id,
        'draft' as status,
        null as invoice_number,
        null as series,
        null as series_number,
        subscription_id,
        customer_id,
        plan_code,
        period_start_at,
        period_end_at,
        cut_at,
        null as finalized_as_of,
        currency,
        total_amount,
        line_count,
        null as catalog_digest,
        null as document_sha256,
        null as chain_sha256
    from open_drafts

)

select * from finalized_and_drafts
