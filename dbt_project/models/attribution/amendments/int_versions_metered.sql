{# Few rows: only of events that are amended, by amendments and metrics. #}
with

amendments_matched as (

    select * from {{ ref('int_amendments_matched') }}

),

metered_events as (

    {{ metered_events() }}

),

metrics_by_reference as (

    select * from {{ ref('int_metrics_by_reference') }}

),

event_versions as (

    select distinct
        target_file_id,
        target_line,
        0 as version_number,
        target_file_id as file_id,
        target_line as line,  -- noqa: RF04
        cast(null as varchar) as amendment,
        false as is_waiting,
        target_batch_id as batch_id,
        target_received_at as received_at
    from amendments_matched
    where target_file_id is not null
    union all
    select
        coalesce(target_file_id, file_id) as target_file_id,
        coalesce(target_line, line) as target_line,
        coalesce(version_number, 0) as version_number,
        file_id,
        line,
        amendment,
        target_file_id is null as is_waiting,
        amended_batch_id as batch_id,
        amended_received_at as received_at
    from amendments_matched

),

versions_with_charge as (

    select
        metered_events.metric_code,
        event_versions.*,
        metrics_by_reference.cut_at,
        metrics_by_reference.finalized_batch_id,
        event_versions.received_at < metrics_by_reference.cut_at
        and event_versions.batch_id <= coalesce(
            metrics_by_reference.finalized_batch_id, event_versions.batch_id
        ) as is_charged_in_time
    from event_versions
    inner join metered_events
        on
            event_versions.file_id = metered_events.file_id
            and event_versions.line = metered_events.line
    left join metrics_by_reference
        on {{ is_offered('metrics_by_reference', 'metered_events') }}

),

metrics_per_target as (

    select distinct
        metric_code,
        target_file_id,
        target_line
    from versions_with_charge

)

select
    metrics_per_target.metric_code,
    event_versions.*,
    versions_with_charge.cut_at,
    versions_with_charge.finalized_batch_id
from metrics_per_target
inner join event_versions
    on
        metrics_per_target.target_file_id = event_versions.target_file_id
        and metrics_per_target.target_line = event_versions.target_line
left join versions_with_charge
    on
        metrics_per_target.metric_code = versions_with_charge.metric_code
        and event_versions.file_id = versions_with_charge.file_id
        and event_versions.line = versions_with_charge.line
        and versions_with_charge.is_charged_in_time
