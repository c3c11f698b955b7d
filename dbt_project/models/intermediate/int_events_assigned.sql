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

{# An event that names no subscription may go to any of its customer's; one that
   does goes to that alone. Two rows a charge instead of an `or` in the join,
   which would make DuckDB try all pairs. #}
charge_terms as (

    select
        *,
        '' as subscription_ref
    from charges_applied
    union all
    select
        *,
        subscription_id as subscription_ref
    from charges_applied

),

events_with_terms as (

    select
        metered_events.*,
        charge_terms.subscription_id,
        charge_terms.period_index,
        charge_terms.charge_code,
        customers_covered.customer_id is not null as is_covered,
        {{ group_key(
            'charge_terms.group_by', 'metered_events.dimensions'
        ) }} as group_key,
        metered_events.received_at >= charge_terms.cut_at
        or coalesce(
            metered_events.batch_id > charge_terms.finalized_batch_id, false
        ) as is_late,
        charge_terms.has_started
    from metered_events
    left join charge_terms
        on
            metered_events.customer_id = charge_terms.customer_id
            and coalesce(metered_events.subscription_ref, '')
            = charge_terms.subscription_ref
            and metered_events.metric_code = charge_terms.metric_code
            and metered_events.occurred_at >= charge_terms.period_start_at
            and metered_events.occurred_at < charge_terms.period_end_at
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
    case
        when customer_id is null then coalesce(customer_ref, subscription_ref)
    end as unattributed_ref,
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
