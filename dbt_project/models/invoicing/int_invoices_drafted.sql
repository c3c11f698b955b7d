with

periods_drafted as (

    select * from {{ ref('int_periods_drafted') }}

),

invoice_lines_drafted as (

    select * from {{ ref('int_invoice_lines_drafted') }}

),

totals_per_invoice as (

    select
        invoice_id,
        sum(amount) as total_amount,
        count(*) as line_count,
        sum(event_count) as event_count
    from invoice_lines_drafted
    group by invoice_id

),

invoices_with_total as (

    select
        periods_drafted.invoice_id,
        periods_drafted.subscription_id,
        periods_drafted.customer_id,
        periods_drafted.plan_code,
        periods_drafted.currency,
        periods_drafted.period_start_at,
        periods_drafted.period_end_at,
        periods_drafted.cut_at,
        coalesce(totals_per_invoice.total_amount, 0) as total_amount,
        coalesce(totals_per_invoice.line_count, 0) as line_count,
        cast(coalesce(totals_per_invoice.event_count, 0) as bigint)
            as event_count
    from periods_drafted
    left join totals_per_invoice
        on periods_drafted.invoice_id = totals_per_invoice.invoice_id

)

select * from invoices_with_total
