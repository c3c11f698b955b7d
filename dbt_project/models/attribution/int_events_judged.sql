{# What stands on a finalized invoice stays there, and is billed nowhere else,
   also when its name means somebody else by now. #}
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

events_moved as (

    select distinct
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

)

select
    metric_code,
    file_id,
    line,
    versions_judged.batch_id,
    versions_judged.received_at,
    coalesce(
        versions_judged.unbilled_reason,
        case when events_moved.metric_code is not null then 'moved' end
    ) as unbilled_reason
from versions_judged
full join events_moved using (metric_code, file_id, line)
