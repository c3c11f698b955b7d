{# Once a version is billed in a period, what comes at the cut of that period or
   after its invoice leaves the version, and so the invoice, as it is. Judged by
   metric, because subscriptions that charge different ones are cut at different
   times. #}
with

versions_metered as (

    select * from {{ ref('int_versions_metered') }}

),

versions_with_time as (

    select
        *,
        received_at < coalesce(
            min(cut_at) over earlier_versions, {{ distant_future() }}
        )
        and batch_id <= coalesce(
            min(finalized_batch_id) over earlier_versions, batch_id
        ) as is_in_time
    from versions_metered
    window
        earlier_versions as (
            partition by metric_code, target_file_id, target_line
            order by version_number
            rows between unbounded preceding and 1 preceding
        )

),

versions_with_current as (

    select
        *,
        max(case when is_in_time then version_number end) over (
            partition by metric_code, target_file_id, target_line
        ) as current_version_number
    from versions_with_time

),

versions_with_amendment as (

    select
        *,
        max(
            case
                when version_number = current_version_number then amendment
            end
        ) over (
            partition by metric_code, target_file_id, target_line
        ) as current_amendment
    from versions_with_current

),

versions_with_state as (

    select
        *,
        case
            when is_waiting then 'waiting'
            when version_number = current_version_number then 'current'
            when version_number < current_version_number then 'superseded'
            else 'late'
        end as amendment_state
    from versions_with_amendment

)

select
    metric_code,
    target_file_id,
    target_line,
    version_number,
    file_id,
    line,
    amendment,
    batch_id,
    received_at,
    amendment_state,
    case
        when amendment_state = 'waiting' then 'amendment_waiting'
        when amendment_state = 'late' then 'late_amendment'
        when amendment_state = 'superseded' and current_amendment = 'void'
            then 'voided'
        when amendment_state = 'superseded' then 'amended'
    end as unbilled_reason
from versions_with_state
