{# An event that names no subscription may go to any of its customer's; one that
   does goes to that alone. #}
with

charges_by_period as (

    select * from {{ ref('int_charges_by_period') }}
    where void_invoice_id is null

),

charges_per_ref as (

    {{ offered_by_reference('charges_by_period') }}

)

select
    subscription_ref,
    subscription_id,
    period_index,
    charge_code,
    customer_id,
    metric_code,
    group_by,
    period_start_at,
    period_end_at,
    cut_at,
    finalized_batch_id,
    has_started
from charges_per_ref
