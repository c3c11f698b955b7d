{# What the metrics keep, with the charge that bills it or the reason why none
   does. Usage that is charged stands in the grouping of its charge, all else in
   the finest. #}
with

usage_kept as (

    select * from {{ ref('int_usage_kept') }}

),

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

charges as (

    select
        *,
        {{ grouping_key('group_by', 'missing_dimension') }} as grouping_key
    from {{ ref('int_charges_by_period') }}

),

metrics_defined as (

    select
        *,
        {{ grouping_key('list_sort(group_by)') }} as finest_grouping_key
    from {{ ref('int_metrics_defined') }}

),

subscriptions as (

    select * from {{ ref('stg_catalog__subscriptions') }}

),

usage_with_charge as (

    select
        usage_kept.* replace (
            coalesce(billing_periods.customer_id, usage_kept.customer_id)
                as customer_id,
            {{ asked_group_key(
                'usage_kept.group_key', 'charges', 'usage_kept.grouping_key'
            ) }} as group_key
        ),
        billing_periods.period_index,
        charges.charge_code,
        charges.has_started,
        metrics_defined.is_additive,
        subscriptions.subscription_id is not null as is_subscription_known,
        not usage_kept.is_late
        and usage_kept.subscription_id is not null
        and usage_kept.version_reason is null
        and usage_kept.unmetered_reason is null as is_counted,
        coalesce(charges.grouping_key, metrics_defined.finest_grouping_key)
            as asked_grouping_key
    from usage_kept
    inner join metrics_defined
        on usage_kept.metric_code = metrics_defined.metric_code
    left join billing_periods
        on usage_kept.invoice_id = billing_periods.invoice_id
    left join charges
        on
            billing_periods.subscription_id = charges.subscription_id
            and billing_periods.period_index = charges.period_index
            and usage_kept.metric_code = charges.metric_code
    left join subscriptions
        on usage_kept.subscription_ref = subscriptions.subscription_id

)

select
    *,
    case
        when version_reason is not null then version_reason
        when coalesce(customer_id, subscription_ref) is null then 'unattributed'
        when customer_id is null and is_subscription_known
            then 'contradicting_references'
        when customer_id is null then 'unknown_subscription'
        when subscription_id is null and not is_covered then 'no_subscription'
        when charge_code is null then 'not_charged'
        when unmetered_reason is not null then unmetered_reason
        when {{ lacks_property('group_key') }} then 'missing_dimension'
        when is_late then 'late'
        when not has_started then 'not_started'
        when quantity is null then 'quantity_overflow'
        when quantity < 0 then 'negative_quantity'
    end as unbilled_reason
from usage_with_charge
where not is_counted or grouping_key = asked_grouping_key
