{{ config(materialized='view') }}

{# A document of fees in advance alone is there if there is such a fee. #}
with

periods_drafted as (

    select * from {{ ref('int_periods_drafted') }}

),

periods_advanced as (

    select * from {{ ref('int_periods_advanced') }}
    where
        is_own_document
        and advance_invoice_id in (
            select fees_settled.invoice_id
            from {{ ref('int_fees_settled') }} as fees_settled
        )

)

select
    invoice_id,
    'arrears' as kind,
    subscription_id,
    customer_id,
    plan_code,
    currency,
    period_start_at,
    period_end_at,
    cut_at
from periods_drafted
union all
select
    periods_advanced.advance_invoice_id as invoice_id,
    'advance' as kind,
    periods_drafted.subscription_id,
    periods_drafted.customer_id,
    periods_drafted.plan_code,
    periods_drafted.currency,
    periods_drafted.period_start_at,
    periods_drafted.period_end_at,
    periods_advanced.cut_at
from periods_advanced
inner join periods_drafted
    on periods_advanced.invoice_id = periods_drafted.invoice_id
