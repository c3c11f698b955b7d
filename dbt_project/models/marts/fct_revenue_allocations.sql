{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='line_id',
    on_schema_change='append_new_columns',
) }}
{# Worked out when a line closes, and kept: what changes later moves no day. #}
with

revenue_allocated as (

    select * from {{ ref('int_revenue_allocated') }}

),

invoice_lines as (

    select * from {{ ref('fct_invoice_lines') }}

),

days_per_line as (

    select
        line_id,
        allocation,
        unit_digits,
        list(local_date order by local_date) as local_dates,
        list(units order by local_date) as units
    from revenue_allocated
    group by line_id, allocation, unit_digits

)

select
    days_per_line.line_id,
    invoice_lines.net_amount,
    invoice_lines.currency,
    days_per_line.allocation,
    days_per_line.unit_digits,
    days_per_line.local_dates,
    days_per_line.units
from days_per_line
inner join invoice_lines
    on days_per_line.line_id = invoice_lines.line_id
