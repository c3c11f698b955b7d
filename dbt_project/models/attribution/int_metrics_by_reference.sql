{# An event that names no subscription may go to any of its customer's; one that
   does goes to that alone. #}
with

metrics_by_period as (

    select * from {{ ref('int_metrics_by_period') }}
    where void_invoice_id is null

),

metrics_per_ref as (

    {{ offered_by_reference('metrics_by_period') }}

)

select
    subscription_ref,
    subscription_id,
    period_index,
    metric_code,
    customer_id,
    period_start_at,
    period_end_at,
    cut_at,
    finalized_batch_id,
    charges
from metrics_per_ref
