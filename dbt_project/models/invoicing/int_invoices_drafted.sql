with

documents_drafted as (

    select * from {{ ref('int_documents_drafted') }}

),

invoice_lines_drafted as (

    select * from {{ ref('int_invoice_lines_drafted') }}

),

faults_by_draft as (

    select * from {{ ref('int_faults_by_draft') }}

),

totals_per_invoice as (

    select
        invoice_id,
        {{ wide_sum('amount') }},
        bool_or(amount is null) as is_beyond,
        count(*) as line_count,
        sum(event_count) as event_count
    from invoice_lines_drafted
    group by invoice_id

),

invoices_with_subtotal as (

    select
        documents_drafted.invoice_id,
        documents_drafted.kind,
        documents_drafted.subscription_id,
        documents_drafted.customer_id,
        documents_drafted.plan_code,
        documents_drafted.currency,
        documents_drafted.period_start_at,
        documents_drafted.period_end_at,
        documents_drafted.cut_at,
        case
            when faults_by_draft.fault is not null then null
            when totals_per_invoice.line_count is null then 0
            when not totals_per_invoice.is_beyond then {{ amount_of_sum() }}
        end as subtotal_amount,
        coalesce(totals_per_invoice.line_count, 0) as line_count,
        cast(coalesce(totals_per_invoice.event_count, 0) as bigint)
            as event_count,
        faults_by_draft.fault
    from documents_drafted
    left join totals_per_invoice
        on documents_drafted.invoice_id = totals_per_invoice.invoice_id
    left join faults_by_draft
        on documents_drafted.invoice_id = faults_by_draft.invoice_id

)

{# The lines may all have an amount, and come to more than an amount. Nothing is
   taken off them or added to them yet. What falls below 0 is no total. #}
select
    invoice_id,
    kind,
    subscription_id,
    customer_id,
    plan_code,
    currency,
    period_start_at,
    period_end_at,
    cut_at,
    subtotal_amount,
    case
        when subtotal_amount is not null then cast(0 as decimal(38, 15))
    end as discount_amount,
    subtotal_amount as net_amount,
    case
        when subtotal_amount is not null then cast(0 as decimal(38, 15))
    end as tax_amount,
    case when subtotal_amount < 0 then 0 else subtotal_amount end
        as total_amount,
    case
        when subtotal_amount is not null then cast(0 as decimal(38, 15))
    end as credit_amount,
    total_amount as amount_due,
    line_count,
    event_count,
    case
        when fault is null and subtotal_amount is null
            then
                invoice_id || ': customer ' || customer_id || ': expected a'
                || ' total of at most 23 digits before the point, found more;'
                || ' void or amend the events that are too large, or correct'
                || ' a metric or its price, and run again'
        else fault
    end as fault
from invoices_with_subtotal
