with

events_reconciled as (

    select * from {{ ref('int_events_reconciled') }}

),

usage_reconciled as (

    select * from {{ ref('int_usage_reconciled') }}

),

invoices_reconciled as (

    select * from {{ ref('int_invoices_reconciled') }}

),

identities as (

    select
        *,
        expected - actual as difference
    from events_reconciled
    union all
    select * from usage_reconciled
    union all
    select * from invoices_reconciled

)

select
    identity,
    subject,
    unit,
    expected,
    actual,
    difference
from identities
