with

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

clock as (

    select * from {{ ref('stg_calendar__clock') }}

),

invoices as (

    select * from {{ ref('stg_lake__invoices') }}

),

periods_unnumbered as (

    select * from {{ ref('int_periods_unnumbered') }}

),

periods_with_status as (

    select
        billing_periods.*,
        case
            when billing_periods.void_invoice_id is not null then 'void'
            when invoices.invoice_id is not null then 'finalized'
            when periods_unnumbered.invoice_id is not null then 'unnumbered'
            when clock.as_of >= billing_periods.cut_at then 'due'
            when clock.as_of >= billing_periods.period_end_at then 'in_grace'
            when clock.as_of >= billing_periods.period_start_at then 'open'
            else 'not_started'
        end as status
    from billing_periods
    cross join clock
    left join invoices
        on billing_periods.invoice_id = invoices.invoice_id
    left join periods_unnumbered
        on billing_periods.invoice_id = periods_unnumbered.invoice_id

)

select
    subscription_id,
    period_index,
    invoice_id,
    customer_id,
    plan_code,
    currency,
    time_zone,
    period_start_date,
    period_end_date,
    period_start_at,
    period_end_at,
    full_start_at,
    full_end_at,
    service_days,
    full_days,
    phase_index,
    is_trial,
    cut_at,
    status
from periods_with_status
