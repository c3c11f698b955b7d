{# What stands on a finalized invoice stays there, and is billed nowhere else,
   also when its name means somebody else by now. What stands on a void invoice
   alone is billed nowhere. #}
with

metered_events as (

    {{ metered_events() }}

),

moved_names as (

    select * from {{ ref('stg_calendar__moved_names') }}

),

versions_judged as (

    select * from {{ ref('int_versions_judged') }}

),

events_voided as (

    select * from {{ ref('int_events_voided') }}

),

events_moved as (

    select
        metered_events.metric_code,
        metered_events.file_id,
        metered_events.line
    from metered_events
    inner join moved_names
        on
            metered_events.customer_ref = moved_names.name
            and metered_events.metric_code = moved_names.metric_code
            and metered_events.occurred_at >= moved_names.moved_from_at
            and metered_events.occurred_at < moved_names.moved_to_at
            and metered_events.received_at < moved_names.cut_at
            and metered_events.batch_id <= moved_names.event_batch_id
    where metered_events.subscription_ref is null
    group by
        metered_events.metric_code,
        metered_events.file_id,
        metered_events.line
    {# The first closing that counted it has it. #}
    having min_by(moved_names.is_moved, moved_names.closing_batch_id)

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
