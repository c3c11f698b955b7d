{{ config(materialized='view') }}

{# What each item comes to on paper. Lines of a charge as a whole have neither
   groups nor quantities. #}
with

invoice_lines_rated as (

    select * from {{ ref('int_invoice_lines_rated') }}

),

bound_lines as (

    select * from {{ ref('int_invoice_lines_bounded') }}

),

charges_drafted as (

    select * from {{ ref('int_charges_drafted') }}

),

lines as (

    select
        charge_number,
        kind,
        group_key,
        event_count,
        quantity,
        billed_quantity,
        unit_price,
        amount_unrounded,
        amount,
        share_days,
        share_of_days,
        tiers
    from invoice_lines_rated
    union all
    select
        charge_number,
        kind,
        '{}' as group_key,
        0 as event_count,
        null as quantity,
        null as billed_quantity,
        null as unit_price,
        amount_unrounded,
        amount,
        null as share_days,
        null as share_of_days,
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
    lines.tiers
from lines
inner join charges_drafted
    on lines.charge_number = charges_drafted.charge_number
