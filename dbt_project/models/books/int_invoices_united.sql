with

invoices as (

    select * from {{ ref('stg_lake__invoices') }}

),

voids as (

    select * from {{ ref('stg_lake__acts') }}
    where kind = 'void'

),

periods_unnumbered as (

    select * from {{ ref('int_periods_unnumbered') }}

),

invoices_drafted as (

    select * from {{ ref('int_invoices_drafted') }}

),

{# What the close has closed is a draft no more. #}
without_number as (

    select
        'draft' as status,
        *,
        null as catalog_digest
    from invoices_drafted
    where invoice_id not in (
            select invoices.invoice_id from invoices
            union all
            select periods_unnumbered.invoice_id from periods_unnumbered
        )
    union all
    select * from periods_unnumbered

)

select
    invoices.invoice_id,
    case when voids.invoice_id is null then 'finalized' else 'void' end
        as status,
    invoices.invoice_number,
    invoices.series,
    invoices.series_number,
    invoices.subscription_id,
    invoices.customer_id,
    invoices.plan_code,
    invoices.period_start_at,
    invoices.period_end_at,
    invoices.cut_at,
    invoices.as_of as finalized_as_of,
    voids.as_of as voided_as_of,
    voids.reason as void_reason,
    invoices.currency,
    invoices.total_amount,
    invoices.line_count,
    null as fault,
    invoices.catalog_digest,
    invoices.document_sha256,
    invoices.chain_sha256
from invoices
left join voids
    on invoices.invoice_id = voids.invoice_id
union all
select
    invoice_id,
    status,
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
    null as voided_as_of,
    null as void_reason,
    currency,
    total_amount,
    line_count,
    fault,
    catalog_digest,
    null as document_sha256,
    null as chain_sha256
from without_number
