{{ config(materialized='view') }}

with

metered_events as (

    {{ metered_events() }}

),

charges as (

    select * from {{ ref('int_charges_by_reference') }}

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
        metered_events.*,
        charges.subscription_id,
        charges.period_index,
        charges.charge_code,
        coverage.customer_id is not null as is_covered,
        subscriptions.subscription_id is not null as is_subscription_known,
        {{ event_group_key('charges.group_by', 'metered_events.dimensions',
            'charges.missing_dimension') }} as group_key,
        coalesce(events_judged.received_at, metered_events.received_at)
        >= charges.cut_at
        or coalesce(events_judged.batch_id, metered_events.batch_id)
        > charges.finalized_batch_id as is_late,
        events_judged.unbilled_reason as version_reason,
        charges.has_started
    from metered_events
    left join charges on {{ is_offered('charges', 'metered_events') }}
    left join coverage
        on
            metered_events.customer_id = coverage.customer_id
            and coalesce(metered_events.subscription_ref, '')
            = coverage.subscription_ref
            and metered_events.occurred_at >= coverage.covered_from_at
            and metered_events.occurred_at < coverage.covered_to_at
    left join subscriptions
        on metered_events.subscription_ref = subscriptions.subscription_id
    left join events_judged
        on
            metered_events.metric_code = events_judged.metric_code
            and metered_events.file_id = events_judged.file_id
            and metered_events.line = events_judged.line

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
        when charge_code is null and not is_covered then 'no_subscription'
        when charge_code is null then 'not_charged'
        when unmetered_reason is not null then unmetered_reason
        when group_key is null then 'missing_dimension'
        when is_late then 'late'
        when not has_started then 'not_started'
    end as unbilled_reason
from events_with_terms
