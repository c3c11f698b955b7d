{{ config(materialized='view') }}

with

events_charged as (

    select * from {{ ref('int_events_charged') }}

),

coverage as (

    select * from {{ ref('int_coverage_by_reference') }}

),

subscriptions as (

    select * from {{ ref('stg_catalog__subscriptions') }}

),

events_judged as (

    select * from {{ ref('int_events_judged') }}

),

events_with_terms as (

    select
        events_charged.*,
        coverage.customer_id is not null as is_covered,
        subscriptions.subscription_id is not null as is_subscription_known,
        coalesce(events_judged.received_at, events_charged.received_at)
        >= events_charged.cut_at
        or coalesce(events_judged.batch_id, events_charged.batch_id)
        > events_charged.finalized_batch_id as is_late,
        events_judged.unbilled_reason as version_reason
    from events_charged
    left join coverage
        on
            events_charged.customer_id = coverage.customer_id
            and coalesce(events_charged.subscription_ref, '')
            = coverage.subscription_ref
            and events_charged.occurred_at >= coverage.covered_from_at
            and events_charged.occurred_at < coverage.covered_to_at
    left join subscriptions
        on events_charged.subscription_ref = subscriptions.subscription_id
    left join events_judged
        on
            events_charged.metric_code = events_judged.metric_code
            and events_charged.file_id = events_judged.file_id
            and events_charged.line = events_judged.line

)

select
    metric_code,
    file_id,
    line,
    occurred_at,
    customer_id,
    case
        when customer_id is null then coalesce(subscription_ref, customer_ref)
    end as unattributed_ref,
    subscription_id,
    period_index,
    charge_code,
    group_key,
    dimensions,
    {{ value_columns() }},
    case
        when version_reason is not null then version_reason
        when coalesce(customer_id, subscription_ref) is null then 'unattributed'
        when customer_id is null and is_subscription_known
            then 'contradicting_references'
        when customer_id is null then 'unknown_subscription'
        when charge_code is null and is_charged then 'filtered_out'
        when charge_code is null and not is_covered then 'no_subscription'
        when charge_code is null then 'not_charged'
        when unmetered_reason is not null then unmetered_reason
        when group_key is null then 'missing_dimension'
        when is_late then 'late'
        when not has_started then 'not_started'
        when not {{ has_price('cells', 'group_key') }} then 'no_price'
    end as unbilled_reason
from events_with_terms
