with

lines_recomputed as (

    select * from {{ ref('int_invoice_lines_recomputed') }}

),

invoices as (

    select * from {{ ref('fct_invoices') }}

),

metrics as (

    select * from {{ ref('dim_billable_metrics') }}

),

{# A difference without a cause is an error: the run fails. #}
closed_differences as (

    select
        lines_recomputed.*,
        invoices.status,
        invoices.invoice_number,
        invoices.customer_name,
        invoices.time_zone,
        invoices.period_start_date,
        invoices.period_end_date,
        invoices.period_start_at,
        invoices.period_end_at,
        metrics.unit
    from lines_recomputed
    left join invoices
        on lines_recomputed.invoice_id = invoices.invoice_id
    left join metrics
        on lines_recomputed.metric_code = metrics.metric_code
    where
        lines_recomputed.difference_cause is not null
        and (
            lines_recomputed.recomputed_event_count
            != lines_recomputed.invoiced_event_count
            or lines_recomputed.recomputed_quantity
            != lines_recomputed.invoiced_quantity
        )

)

select
    invoice_id,
    status,
    invoice_number,
    customer_id,
    customer_name,
    subscription_id,
    time_zone,
    period_start_date,
    period_end_date,
    period_start_at,
    period_end_at,
    charge_code,
    metric_code,
    group_key,
    invoiced_event_count,
    recomputed_event_count as recounted_event_count,
    invoiced_quantity,
    recomputed_quantity as recounted_quantity,
    recomputed_quantity - invoiced_quantity as quantity_difference,
    unit,
    difference_cause
from closed_differences
