{# What was billed in advance and is due no more: its charge, or its period, is
   no longer there. It stands on the invoice of its period, else on the first
   one that is open; where none has its currency, that one is at fault. #}
with

fees_billed as (

    select * from {{ ref('stg_calendar__fees_in_advance') }}
    where is_billed and billed_amount != 0

),

fees_compared as (

    select * from {{ ref('int_fees_compared') }}

),

periods_on_hold as (

    select * from {{ ref('stg_calendar__periods_on_hold') }}

),

periods_drafted as (

    select drafted.*
    from {{ ref('int_periods_drafted') }} as drafted
    anti join periods_on_hold
        on
            drafted.subscription_id = periods_on_hold.subscription_id
            and drafted.period_start_at = periods_on_hold.period_start_at

),

fees_due_no_more as (

    select fees_billed.*
    from fees_billed
    anti join fees_compared
        on
            fees_billed.line_id = fees_compared.billed_line_id

),

fees_placed as (

    select
        fees_due_no_more.*,
        periods_drafted.invoice_id,
        periods_drafted.period_start_label
        = fees_due_no_more.service_start_label as is_of_period
    from fees_due_no_more
    inner join periods_drafted
        on fees_due_no_more.subscription_id = periods_drafted.subscription_id
    qualify
        row_number() over (
            partition by fees_due_no_more.line_id
            order by
                periods_drafted.currency = fees_due_no_more.currency desc,
                is_of_period desc,
                periods_drafted.period_index asc
        ) = 1

)

select
    invoice_id,
    charge_code,
    price_valid_from,
    currency,
    service_start_label,
    service_start_at,
    service_end_at,
    -billed_amount as amount,
    is_of_period,
    line_id as adjusts_line_id
from fees_placed
