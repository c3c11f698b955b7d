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
        invoice_lines.line_id,
        invoice_lines.quantity as line_quantity,
        invoice_lines.net_units,
        invoice_lines.unit_digits,
        service_days.first_day,
        service_days.last_day,
        service_days.day_number
    from invoice_lines
    inner join service_days
        on {{ same_columns(span, 'invoice_lines', 'service_days') }}

),

lines_bounded as (

    select distinct
        line_id,
        first_day,
        last_day
    from line_days

),

{# What lies outside the labelled days is of the first of them, or the last. #}
usage_by_day as (

    select
        invoiced_usage.line_id,
        greatest(
            least(invoiced_usage.day_number, lines_bounded.last_day),
            lines_bounded.first_day
        ) as day_number,
        invoiced_usage.line_quantity,
        sum({{ units_of('invoiced_usage.quantity', 18) }}) as units
    from {{ ref('int_invoiced_usage_by_day') }} as invoiced_usage
    inner join lines_bounded
        on invoiced_usage.line_id = lines_bounded.line_id
    group by all

),

parts as (

    {{ parts_of_days('line_days', 'usage_by_day') }}

),

shares as (

    {{ with_share_of_units('parts', 'net_units', 'part', 'whole') }}

)

select
    line_id,
    {{ date_of_day('day_number') }} as local_date,
    case when is_by_usage then 'usage' else 'service_days' end as allocation,
    unit_digits,
    share + case
        when
            row_number() over (
                partition by line_id
                order by share_rest desc, day_number asc
            ) <= net_units - sum(share) over (partition by line_id)
            then 1
        else 0
    end as units
from shares
