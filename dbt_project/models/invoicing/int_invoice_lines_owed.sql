{{ config(materialized='view') }}

{# What each item comes to on the document that it stands on. Lines of a charge
   as a whole have neither groups nor quantities. #}
with

invoice_lines_rated as (

    select * from {{ ref('int_invoice_lines_rated') }}
    where
        charge_number not in (
            select fees_compared.charge_number
            from {{ ref('int_fees_compared') }} as fees_compared
        )

),

bound_lines as (

    select * from {{ ref('int_invoice_lines_bounded') }}

),

charges_drafted as (

    select * from {{ ref('int_charges_drafted') }}

),

periods_drafted as (

    select * from {{ ref('int_periods_drafted') }}

),

fees_settled as (

    select * from {{ ref('int_fees_settled') }}

),

lines as (

    select * from invoice_lines_rated
    union all by name
    select
        *,
        '{}' as group_key,
        0 as event_count,
        '[]' as tiers
    from bound_lines

)

select
    charges_drafted.invoice_id,
    charges_drafted.charge_code,
    case when lines.kind = 'usage' then charges_drafted.metric_code end
        as metric_code,
    charges_drafted.charge_model,
    charges_drafted.price_valid_from,
    case when lines.kind = 'usage' then charges_drafted.unit end as unit,
    charges_drafted.currency,
    lines.kind,
    lines.group_key,
    lines.event_count,
    lines.quantity,
    lines.billed_quantity,
    lines.unit_price,
    lines.amount_unrounded,
    lines.amount,
    lines.share_days,
    lines.share_of_days,
    lines.tiers,
    periods_drafted.period_start_label as service_start_label,
    periods_drafted.period_start_at as service_start_at,
    periods_drafted.period_end_at as service_end_at,
    true as is_of_period,
    cast(null as varchar) as adjusts_line_id
from lines
inner join charges_drafted
    on lines.charge_number = charges_drafted.charge_number
inner join periods_drafted
    on charges_drafted.invoice_id = periods_drafted.invoice_id
union all by name
select
    *,
    'flat' as charge_model,
    '{}' as group_key,
    0 as event_count,
    '[]' as tiers
from fees_settled
