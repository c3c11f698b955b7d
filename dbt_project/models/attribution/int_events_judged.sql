{# What stands on a finalized invoice stays there, and is billed nowhere else,
   also when its name means somebody else by now. What stands on a void invoice
   alone is billed nowhere. #}
with

versions_judged as (

    select * from {{ ref('int_versions_judged') }}

),

events_moved as (

    select * from {{ ref('int_events_moved') }}

),

events_voided as (

    select * from {{ ref('int_events_voided') }}

),

events_of_invoices as (

    select
        *,
        'moved' as unbilled_reason
    from events_moved
    union all
    select
        *,
        'invoice_voided' as unbilled_reason
    from events_voided

),

{# Usage that moved away from one invoice stays moved, also where a void invoice
   would have billed it. #}
events_of_invoices_once as (

    select
        metric_code,
        file_id,
        line,
        max(unbilled_reason) as unbilled_reason
    from events_of_invoices
    group by metric_code, file_id, line

)

select
    metric_code,
    file_id,
    line,
    versions_judged.batch_id,
    versions_judged.received_at,
    coalesce(
        versions_judged.unbilled_reason,
        events_of_invoices_once.unbilled_reason
    ) as unbilled_reason
from versions_judged
full join events_of_invoices_once using (metric_code, file_id, line)
