{# An event that names no subscription may go to any of its customer's; one that
   does goes to that alone. Two rows a charge instead of an `or` in the join to
   events, which would make DuckDB try all pairs. #}
{{ config(tags='billing') }}

with

charges_applied as (

    select * from {{ ref('int_charges_applied') }}

),

charges_per_ref as (

    select
        *,
        '' as subscription_ref
    from charges_applied
    union all
    select
        *,
        subscription_id as subscription_ref
    from charges_applied

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
