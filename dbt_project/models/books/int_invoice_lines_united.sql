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

finalized_and_draft_lines as (

    select * from invoice_lines
    union all
    select * from lines_of_open_drafts

)

select * from finalized_and_draft_lines
