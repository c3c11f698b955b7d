{{ config(materialized='view') }}
{# Of metrics whose quantities add up, so that days have shares. #}
-- depends_on: {{ ref('int_usage_kept') }}
with

invoice_lines as (

    select * from {{ ref('int_invoice_lines_unallocated') }}
    where kind = 'usage'

),

charges_by_period as (

    select * from {{ ref('int_charges_by_period') }}

),

lines_asking as (

    select
        invoice_lines.line_key,
        invoice_lines.invoice_id,
        invoice_lines.charge_code,
        invoice_lines.metric_code,
        invoice_lines.group_key,
        charges_by_period.group_by,
        charges_by_period.missing_dimension,
        charges_by_period.conditions,
        {{ grouping_key('charges_by_period.group_by',
            'charges_by_period.missing_dimension',
            'charges_by_period.conditions') }} as grouping_key
    from invoice_lines
    inner join charges_by_period
        on
            invoice_lines.subscription_id = charges_by_period.subscription_id
            and invoice_lines.period_index = charges_by_period.period_index
            and invoice_lines.charge_code = charges_by_period.charge_code
            and invoice_lines.metric_code = charges_by_period.metric_code

),

usage_by_day as (

    {% for metric in metric_definitions()
        if metric.traits.adds and metric.traits.daily %}
    {{ usage_of_lines_by_day(metric, 'lines_asking') }}
    union all
    {% endfor %}
    select
        line_key,
        null as day_number,
        null as quantity,
        null as line_quantity
    from lines_asking
    where false

)

select
    line_key,
    cast(day_number as integer) as day_number,
    cast(quantity as decimal(38, 18)) as quantity,
    cast(line_quantity as decimal(38, 18)) as line_quantity
from usage_by_day
