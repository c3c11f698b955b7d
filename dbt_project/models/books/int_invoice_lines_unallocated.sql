{% set kept = built_before('marts', 'fct_revenue_allocations') %}
with

invoices as (

    select * from {{ ref('int_invoices_united') }}
    where status != 'draft'

),

{# Discounts, taxes and credits are in the columns of other lines, too. #}
invoice_lines as (

    select * from {{ ref('int_invoice_lines_united') }}
    where kind not in ('discount', 'tax', 'credit')

),

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

currencies as (

    select * from {{ ref('stg_catalog__currencies') }}

),

new_lines as (

    select
        invoice_lines.*,
        invoices.subscription_id,
        case
            when
                {{ units_of('invoice_lines.net_amount', 15) }}
                % {{ power_of_ten('15 - currencies.minor_unit_digits') }}
                = 0
                then currencies.minor_unit_digits
            else 15
        end as unit_digits
    from invoice_lines
    inner join invoices
        on invoice_lines.invoice_id = invoices.invoice_id
    left join currencies
        on invoice_lines.currency = currencies.currency
    {% if kept is not none %}
    anti join {{ kept }} as lines_kept
        on
            invoice_lines.line_id = lines_kept.line_id
            and invoice_lines.net_amount = lines_kept.net_amount
    {% endif %}

)

select
    row_number() over () as line_key,
    new_lines.line_id,
    new_lines.invoice_id,
    new_lines.subscription_id,
    billing_periods.period_index,
    new_lines.kind,
    new_lines.charge_code,
    new_lines.metric_code,
    new_lines.group_key,
    coalesce(billing_periods.time_zone, 'Etc/UTC') as time_zone,
    case
        when
            billing_periods.period_start_at = new_lines.service_start_at
            then billing_periods.period_start_date
    end as start_date,
    new_lines.service_start_at,
    new_lines.service_end_at,
    new_lines.quantity,
    new_lines.net_amount,
    new_lines.unit_digits,
    {{ quotient(
        units_of('new_lines.net_amount', 15),
        power_of_ten('15 - new_lines.unit_digits')
    ) }} as net_units
from new_lines
left join billing_periods
    on
        new_lines.subscription_id = billing_periods.subscription_id
        and new_lines.service_start_at >= billing_periods.period_start_at
        and new_lines.service_start_at < billing_periods.period_end_at
