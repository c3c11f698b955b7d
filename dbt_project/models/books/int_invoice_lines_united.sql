with

invoices_united as (

    select * from {{ ref('int_invoices_united') }}

),

invoice_lines as (

    select * from {{ ref('stg_lake__invoice_lines') }}

),

invoice_lines_drafted as (

    select * from {{ ref('int_invoice_lines_drafted') }}

),

lines_of_open_drafts as (

    select invoice_lines_drafted.*
    from invoice_lines_drafted
    inner join invoices_united
        on invoice_lines_drafted.invoice_id = invoices_united.invoice_id
    where invoices_united.status = 'draft'

),

united_lines as (

    select * from invoice_lines
    union all
    select * from lines_of_open_drafts

),

{# Lines of format 1 are of their invoice's period and currency. #}
lines_with_service as (

    select
        united_lines.* exclude (service_start_at, service_end_at, currency),
        coalesce(united_lines.service_start_at, invoices_united.period_start_at)
            as service_start_at,
        coalesce(united_lines.service_end_at, invoices_united.period_end_at)
            as service_end_at,
        coalesce(united_lines.currency, invoices_united.currency) as currency
    from united_lines
    left join invoices_united
        on united_lines.invoice_id = invoices_united.invoice_id

)

select * from lines_with_service
