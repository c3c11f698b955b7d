{# A fee that is billed in advance, or was, with what was billed of it. #}
with

charges as (

    select * from {{ ref('int_charges_drafted') }}
    where charge_model = 'flat'

),

prices as (

    select * from {{ ref('int_prices_numbered') }}

),

invoice_lines_rated as (

    select * from {{ ref('int_invoice_lines_rated') }}

),

periods_drafted as (

    select * from {{ ref('int_periods_drafted') }}

),

periods_advanced as (

    select * from {{ ref('int_periods_advanced') }}

),

fees_in_advance as (

    select * from {{ ref('stg_calendar__fees_in_advance') }}

),

fees_compared as (

    select
        charges.charge_number,
        charges.invoice_id,
        periods_advanced.advance_invoice_id,
        charges.subscription_id,
        charges.charge_code,
        charges.price_valid_from,
        charges.currency,
        periods_drafted.period_start_label as service_start_label,
        periods_drafted.period_start_at as service_start_at,
        periods_drafted.period_end_at as service_end_at,
        invoice_lines_rated.quantity,
        invoice_lines_rated.billed_quantity,
        invoice_lines_rated.unit_price,
        invoice_lines_rated.amount_unrounded,
        invoice_lines_rated.amount,
        invoice_lines_rated.share_days,
        invoice_lines_rated.share_of_days,
        prices.billed = 'once' as is_due_once,
        fees_in_advance.line_id as billed_line_id,
        fees_in_advance.is_billed,
        fees_in_advance.billed_amount
    from charges
    inner join prices
        on charges.price_number = prices.price_number
    inner join invoice_lines_rated
        on charges.charge_number = invoice_lines_rated.charge_number
    inner join periods_drafted
        on charges.invoice_id = periods_drafted.invoice_id
    left join periods_advanced
        on charges.invoice_id = periods_advanced.invoice_id
    left join fees_in_advance
        on
            charges.subscription_id = fees_in_advance.subscription_id
            and periods_drafted.period_start_label
            = fees_in_advance.service_start_label
            and charges.currency = fees_in_advance.currency
            and charges.charge_code = fees_in_advance.charge_code
    where prices.invoiced_in = 'advance' or fees_in_advance.is_billed

)

select * from fees_compared
