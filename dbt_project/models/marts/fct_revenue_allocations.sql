{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='line_id',
    on_schema_change='append_new_columns',
    post_hook="
        delete from {{ this }} where line_id not in (
            select lines.line_id from {{ ref('fct_invoice_lines') }} as lines
            where lines.status != 'draft'
        )",
) }}
{# Worked out when a line closes, and kept: what changes later moves no day. A
   lake that was restored may lack a line. #}
with

revenue_allocated as (

    select * from {{ ref('int_revenue_allocated') }}

),

invoice_lines as (

    select * from {{ ref('fct_invoice_lines') }}

)

select
    revenue_allocated.line_id,
    invoice_lines.net_amount,
    invoice_lines.currency,
    revenue_allocated.allocation,
    revenue_allocated.unit_digits,
    revenue_allocated.first_date,
    revenue_allocated.units
from revenue_allocated
inner join invoice_lines
    on revenue_allocated.line_id = invoice_lines.line_id
