{% set of_numbers = ['invoice_number', 'series', 'series_number'] %}
{% set of_periods = [
    'kind', 'subscription_id', 'customer_id', 'plan_code', 'period_start_at',
    'period_end_at', 'cut_at'
] %}
{% set amounts = [
    'currency', 'subtotal_amount', 'discount_amount', 'net_amount',
    'tax_amount', 'total_amount', 'credit_amount', 'amount_due', 'line_count'
] %}
{% set of_documents = [
    'document_format', 'recipe_version', 'terms_digest', 'corrects_invoice_id',
    'document_sha256'
] %}
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
    where
        invoice_id not in (select invoices.invoice_id from invoices)
        and invoice_id not in (select p.invoice_id from periods_unnumbered as p)
    union all
    select * from periods_unnumbered

)

select
    invoices.invoice_id,
    case when voids.invoice_id is null then 'finalized' else 'void' end
        as status,
    {% for name in of_numbers + of_periods %}
    invoices.{{ name }},
    {% endfor %}
    invoices.as_of as finalized_as_of,
    voids.as_of as voided_as_of,
    voids.reason as void_reason,
    {% for name in amounts %}
    invoices.{{ name }},
    {% endfor %}
    null as fault,
    {% for name in ['catalog_digest'] + of_documents %}
    invoices.{{ name }},
    {% endfor %}
    invoices.chain_sha256
from invoices
left join voids
    on invoices.invoice_id = voids.invoice_id
union all
select
    invoice_id,
    status,
    {% for name in of_numbers %}
    null as {{ name }},
    {% endfor %}
    {% for name in of_periods %}
    {{ name }},
    {% endfor %}
    null as finalized_as_of,
    null as voided_as_of,
    null as void_reason,
    {% for name in amounts %}
    {{ name }},
    {% endfor %}
    fault,
    catalog_digest,
    {% for name in of_documents %}
    null as {{ name }},
    {% endfor %}
    null as chain_sha256
from without_number
