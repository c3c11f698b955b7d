{{ config(materialized='view') }}
with

allocations as (

    select * from {{ ref('fct_revenue_allocations') }}

),

invoice_lines as (

    select * from {{ ref('fct_invoice_lines') }}
    where status != 'draft'

),

lines_with_units as (

    select
        invoice_lines.*,
        allocations.allocation,
        allocations.unit_digits,
        allocations.first_date,
        {{ units_of_text('allocations.units') }} as units
    from invoice_lines
    inner join allocations
        on
            invoice_lines.line_id = allocations.line_id
            and invoice_lines.net_amount = allocations.net_amount

),

lines_with_days as (

    select
        * exclude (units),
        unnest(units) as units,
        unnest(range(len(units))) as days_later
    from lines_with_units

)

select
    line_id,
    first_date + cast(days_later as integer) as local_date,
    invoice_id,
    status,
    invoice_number,
    subscription_id,
    customer_id,
    customer_name,
    plan_code,
    time_zone,
    kind,
    charge_code,
    charge_name,
    metric_code,
    group_key,
    {{ amount_of('units * ' ~ power_of_ten('15 - unit_digits')) }}
        as revenue_amount,
    currency,
    allocation
from lines_with_days
where units is not null
