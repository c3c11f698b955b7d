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
        sum(amount) as total_amount,
        count(*) as line_count,
        cast(sum(event_count) as bigint) as event_count
    from invoice_lines
    group by invoice_id

),

periods_without_invoice as (

    select
        'unnumbered' as status,
        closed_periods.invoice_id,
        closed_periods.subscription_id,
        closed_periods.customer_id,
        closed_periods.plan_code,
        closed_periods.currency,
        closed_periods.period_start_at,
        closed_periods.period_end_at,
        closed_periods.cut_at,
        coalesce(lines_per_period.total_amount, 0) as total_amount,
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
