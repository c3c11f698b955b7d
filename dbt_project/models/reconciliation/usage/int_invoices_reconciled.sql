with

invoices_united as (

    select * from {{ ref('int_invoices_united') }}

),

invoice_lines_united as (

    select * from {{ ref('int_invoice_lines_united') }}

),

amounts_per_invoice as (

    select
        invoice_id,
        sum(amount) as amount
    from invoice_lines_united
    group by invoice_id

),

invoice_identities as (

    select
        'invoice_totals' as identity,
        invoices_united.status as subject,
        invoices_united.currency as unit,
        sum(coalesce(amounts_per_invoice.amount, 0)) as expected,
        sum(invoices_united.total_amount) as actual
    from invoices_united
    left join amounts_per_invoice
        on invoices_united.invoice_id = amounts_per_invoice.invoice_id
    group by invoices_united.status, invoices_united.currency
    union all
    select
        'invoice_numbers' as identity,
        series as subject,
        'invoice' as unit,
        count(*) as expected,
        max(series_number) as actual
    from invoices_united
    where series is not null
    group by series

)

select
    identity,
    subject,
    unit,
    cast(expected as decimal(38, 18)) as expected,
    cast(actual as decimal(38, 18)) as actual
from invoice_identities
