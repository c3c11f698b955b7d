{{ config(materialized='view') }}

with

closed_periods as (

    select * from {{ ref('stg_lake__closed_periods') }}

),

invoice_lines as (

    select * from {{ ref('stg_lake__invoice_lines') }}

),

lines_per_period as (

    select
        invoice_id,
        sum(amount) as subtotal_amount,
        sum(discount_amount) as discount_amount,
        sum(net_amount) as net_amount,
        sum(tax_amount) as tax_amount,
        sum(credit_amount) as credit_amount,
        count(*) as line_count,
        cast(sum(event_count) as bigint) as event_count
    from invoice_lines
    group by invoice_id

),

periods_without_invoice as (

    select
        'unnumbered' as status,
        closed_periods.invoice_id,
        'arrears' as kind,
        closed_periods.subscription_id,
        closed_periods.customer_id,
        closed_periods.plan_code,
        closed_periods.currency,
        closed_periods.period_start_at,
        closed_periods.period_end_at,
        closed_periods.cut_at,
        coalesce(lines_per_period.subtotal_amount, 0) as subtotal_amount,
        coalesce(lines_per_period.discount_amount, 0) as discount_amount,
        coalesce(lines_per_period.net_amount, 0) as net_amount,
        coalesce(lines_per_period.tax_amount, 0) as tax_amount,
        coalesce(lines_per_period.net_amount + lines_per_period.tax_amount, 0)
            as total_amount,
        coalesce(lines_per_period.credit_amount, 0) as credit_amount,
        coalesce(
            lines_per_period.net_amount + lines_per_period.tax_amount
            - lines_per_period.credit_amount,
            0
        ) as amount_due,
        coalesce(lines_per_period.line_count, 0) as line_count,
        coalesce(lines_per_period.event_count, 0) as event_count,
        cast(null as varchar) as fault,
        closed_periods.catalog_digest
    from closed_periods
    left join lines_per_period
        on closed_periods.invoice_id = lines_per_period.invoice_id
    where not closed_periods.is_numbered

)

select * from periods_without_invoice
