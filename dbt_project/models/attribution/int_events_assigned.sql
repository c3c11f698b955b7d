{{ config(materialized='view') }}

with

metered_events as (

    {{ metered_events() }}

),

events_with_charge as (

    select
        events.*,
        offers.subscription_id,
        offers.period_index,
        {{ charge_taking('offers.charges',
            flat_properties('events.dimensions')) }} as charge,
        coverage.customer_id is not null as is_covered,
        subscriptions.subscription_id is not null as is_subscription_known,
        coalesce(judged.received_at, events.received_at) >= offers.cut_at
        or coalesce(judged.batch_id, events.batch_id)
        > offers.finalized_batch_id as is_late,
        judged.unbilled_reason as version_reason
    from metered_events as events
    left join {{ ref('int_metrics_by_reference') }} as offers
        on {{ is_offered('offers', 'events') }}
    left join {{ ref('int_coverage_by_reference') }} as coverage
        on
            events.customer_id = coverage.customer_id
            and coalesce(events.subscription_ref, '')
            = coverage.subscription_ref
            and events.occurred_at >= coverage.covered_from_at
            and events.occurred_at < coverage.covered_to_at
    left join {{ ref('stg_catalog__subscriptions') }} as subscriptions
        on events.subscription_ref = subscriptions.subscription_id
    left join {{ ref('int_events_judged') }} as judged
        on
            events.metric_code = judged.metric_code
            and events.file_id = judged.file_id
            and events.line = judged.line

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
    charge['charge_code'] as charge_code,
    {{ event_group_key("charge['group_by']", 'dimensions',
        "charge['missing_dimension']") }} as group_key,
    dimensions,
    {{ value_columns() }},
    case
        when version_reason is not null then version_reason
        when coalesce(customer_id, subscription_ref) is null then 'unattributed'
        when customer_id is null and is_subscription_known
            then 'contradicting_references'
        when customer_id is null then 'unknown_subscription'
        when charge is null and subscription_id is not null then 'filtered_out'
        when charge is null and not is_covered then 'no_subscription'
        when charge is null then 'not_charged'
        when unmetered_reason is not null then unmetered_reason
        when group_key is null then 'missing_dimension'
        when is_late then 'late'
        when not charge['has_started'] then 'not_started'
        when not {{ has_price("charge['cells']", 'group_key') }} then 'no_price'
    end as unbilled_reason
from events_with_charge
