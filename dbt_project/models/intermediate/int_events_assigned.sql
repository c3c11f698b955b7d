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

charges_applied as (

    select * from {{ ref('int_charges_applied') }}

),

customers_covered as (

    select * from {{ ref('int_customers_covered') }}

),

events_with_terms as (

    select
        metered_events.*,
        charges_applied.subscription_id,
        charges_applied.period_index,
        charges_applied.charge_code,
        customers_covered.customer_id is not null as is_covered,
        {{ group_key(
            'charges_applied.group_by', 'metered_events.dimensions'
        ) }} as group_key,
        metered_events.received_at >= charges_applied.cut_at
        or coalesce(
            metered_events.batch_id > charges_applied.finalized_batch_id, false
        ) as is_late,
        charges_applied.has_started
    from metered_events
    left join charges_applied
        on
            metered_events.customer_id = charges_applied.customer_id
            and metered_events.metric_code = charges_applied.metric_code
            and metered_events.occurred_at >= charges_applied.period_start_at
            and metered_events.occurred_at < charges_applied.period_end_at
            and (
                metered_events.subscription_ref is null
                or metered_events.subscription_ref
                = charges_applied.subscription_id
            )
    left join customers_covered
        on
            metered_events.customer_id = customers_covered.customer_id
            and metered_events.occurred_at >= customers_covered.covered_from_at
            and metered_events.occurred_at < customers_covered.covered_to_at

)

select
    metric_code,
    file_id,
    line,
    customer_id,
    case when customer_id is null then customer_ref end as unattributed_ref,
    subscription_id,
    period_index,
    charge_code,
    group_key,
    quantity,
    case
        when customer_id is null then 'unattributed'
        when charge_code is null and not is_covered then 'no_subscription'
        when charge_code is null then 'not_charged'
        when unmetered_reason is not null then unmetered_reason
        when group_key is null then 'missing_dimension'
        when is_late then 'late'
        when not has_started then 'not_started'
    end as unbilled_reason
from events_with_terms
