with

invoices_united as (

    select * from {{ ref('int_invoices_united') }}

),

invoice_lines_united as (

    select * from {{ ref('int_invoice_lines_united') }}

),

usage_unbilled as (

    select * from {{ ref('int_usage_unbilled') }}

),

invoiced_or_unbilled as (

    select
        invoice_lines_united.metric_code,
        invoices_united.status as place,
        invoice_lines_united.event_count,
        invoice_lines_united.quantity
    from invoice_lines_united
    left join invoices_united
        on invoice_lines_united.invoice_id = invoices_united.invoice_id
    where
        invoice_lines_united.kind = 'usage'
        and invoices_united.status is distinct from 'void'
    union all
    select
        metric_code,
        unbilled_reason as place,
        event_count,
        quantity
    from usage_unbilled
    where metric_code is not null

),

usage_per_place as (

    select
        metric_code,
        place,
        cast(sum(event_count) as bigint) as event_count,
        {{ wide_sum('quantity') }}
    from invoiced_or_unbilled
    group by metric_code, place

)

select
    metric_code,
    place,
    event_count,
    {{ quantity_of_sum() }} as quantity,
    {{ sum_in_parts('quantity') }}
from usage_per_place
