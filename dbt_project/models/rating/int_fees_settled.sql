{# Each document carries what is due less what was billed so far. What was
   billed first belongs to its invoice: where that is void, nothing is due on
   another one. #}
with

fees_compared as (

    select * from {{ ref('int_fees_compared') }}

),

fees_returned as (

    select * from {{ ref('int_fees_returned') }}

),

fees_borne as (

    select
        coalesce(advance_invoice_id, invoice_id) as invoice_id,
        charge_code,
        price_valid_from,
        currency,
        'flat' as kind,
        quantity,
        billed_quantity,
        unit_price,
        amount_unrounded,
        amount,
        share_days,
        share_of_days,
        service_start_label,
        service_start_at,
        service_end_at,
        coalesce(advance_invoice_id, invoice_id || '/advance')
        = invoice_id || '/advance' as is_of_period,
        cast(null as varchar) as adjusts_line_id
    from fees_compared
    where
        billed_line_id is null
        or (not is_billed and advance_invoice_id is not null)

),

differences as (

    select
        invoice_id,
        charge_code,
        price_valid_from,
        currency,
        service_start_label,
        service_start_at,
        service_end_at,
        amount - billed_amount as amount,
        true as is_of_period,
        billed_line_id as adjusts_line_id
    from fees_compared
    where is_billed and not is_due_once
    union all
    select * from fees_returned

)

select * from fees_borne
where amount is null or amount != 0
union all
select
    invoice_id,
    charge_code,
    price_valid_from,
    currency,
    case when amount < 0 then 'unused_advance' else 'adjustment' end as kind,
    null as quantity,
    null as billed_quantity,
    null as unit_price,
    {{ decimal_text('amount') }} as amount_unrounded,
    amount,
    null as share_days,
    null as share_of_days,
    service_start_label,
    service_start_at,
    service_end_at,
    is_of_period,
    adjusts_line_id
from differences
where amount is null or amount != 0
