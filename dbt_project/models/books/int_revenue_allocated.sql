{% set span = [
    'time_zone', 'start_date', 'service_start_at', 'service_end_at'
] %}
with

invoice_lines as (

    select * from {{ ref('int_invoice_lines_unallocated') }}

),

service_days as (

    {{ service_days('invoice_lines', ref('stg_calendar__local_days')) }}

),

line_days as (

    select
        invoice_lines.line_key,
        invoice_lines.line_id,
        invoice_lines.quantity as line_quantity,
        invoice_lines.unit_digits,
        invoice_lines.net_units,
        service_days.day_numbers
    from invoice_lines
    inner join service_days
        on {{ same_columns(span, 'invoice_lines', 'service_days') }}

),

{# What lies outside the labelled days is of the first of them, or the last. #}
usage_by_day as (

    select
        invoiced_usage.line_key,
        greatest(
            least(invoiced_usage.day_number, line_days.day_numbers[-1]),
            line_days.day_numbers[1]
        ) as day_number,
        sum(invoiced_usage.quantity) as quantity,
        max(invoiced_usage.line_quantity) as line_quantity
    from {{ ref('int_invoiced_usage_by_day') }} as invoiced_usage
    inner join line_days
        on invoiced_usage.line_key = line_days.line_key
    group by all

),

usage_with_narrow as (

    {{ with_whole_number('usage_by_day', 'quantity', 'narrow_quantity') }}

),

parts_of_usage as (

    {{ parts_of_usage('line_days', 'usage_with_narrow') }}

),

shares as (

    {{ with_share_of_units('parts_of_usage', 'net_units', 'part', 'whole') }}

),

allocated_by_usage as (

    {{ allocated_by_remainder('shares', 'line_key') }}

),

units_by_day as (

    select
        line_days.*,
        case
            when allocated_by_usage.line_key is null then 'service_days'
            else 'usage'
        end as allocation,
        coalesce(
            {{ units_on_days('line_days.day_numbers', 'allocated_by_usage') }},
            {{ units_alike('line_days.net_units', 'line_days.day_numbers') }}
        ) as units
    from line_days
    left join allocated_by_usage
        on line_days.line_key = allocated_by_usage.line_key

)

select
    line_id,
    allocation,
    net_units,
    unit_digits,
    {{ date_of_day('day_numbers[1]') }} as first_date,
    {{ text_of_units('units', 'day_numbers') }} as units
from units_by_day
