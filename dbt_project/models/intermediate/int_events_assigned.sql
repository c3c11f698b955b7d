{{ config(materialized='view', tags='billing') }}

with

metered_events as (

    {% for code in var('billable_metrics') %}
    select * from {{ ref('metric_' ~ code) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

charges_offered as (

    select * from {{ ref('int_charges_offered') }}

),

customers_covered as (

    select * from {{ ref('int_customers_covered') }}

),

subscriptions as (

    select * from {{ ref('stg_catalog__subscriptions') }}

),

events_with_terms as (

    select
        metered_events.*,
        charges_offered.subscription_id,
        charges_offered.period_index,
        charges_offered.charge_code,
        customers_covered.customer_id is not null as is_covered,
        subscriptions.subscription_id is not null as is_subscription_known,
        {{ group_key(
            'charges_offered.group_by', 'metered_events.dimensions'
        ) }} as group_key,
        metered_events.received_at >= charges_offered.cut_at
        or coalesce(
            metered_events.batch_id > charges_offered.finalized_batch_id, false
        ) as is_late,
        charges_offered.has_started
    from metered_events
    left join charges_offered
        on
            metered_events.customer_id = charges_offered.customer_id
            and coalesce(metered_events.subscription_ref, '')
            = charges_offered.subscription_ref
            and metered_events.metric_code = charges_offered.metric_code
            and metered_events.occurred_at >= charges_offered.period_start_at
            and metered_events.occurred_at < charges_offered.period_end_at
    left join customers_covered
        on
            metered_events.customer_id = customers_covered.customer_id
            and coalesce(metered_events.subscription_ref, '')
            = customers_covered.subscription_ref
            and metered_events.occurred_at >= customers_covered.covered_from_at
            and metered_events.occurred_at < customers_covered.covered_to_at
    left join subscriptions
        on metered_events.subscription_ref = subscriptions.subscription_id

)

select
    metric_code,
    file_id,
    line,
    customer_id,
    case
        when customer_id is null then coalesce(subscription_ref, customer_ref)
    end as unattributed_ref,
    subscription_id,
    period_index,
    charge_code,
    group_key,
    quantity,
    case
        when customer_id is null and subscription_ref is null
            then 'unattributed'
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
