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

metrics_by_period as (

    select * from {{ ref('int_metrics_by_period') }}

),

usage_with_charge as (

    select
        usage_kept.* replace (
            coalesce(billing_periods.customer_id, usage_kept.customer_id)
                as customer_id
        ),
        billing_periods.period_index,
        metrics_defined.is_additive,
        metrics_defined.finest_grouping_key,
        metrics_by_period.metric_code is not null as is_charged,
        {{ charge_of_usage('metrics_by_period.charges', 'usage_kept',
            'metrics_defined.finest_grouping_key') }} as charge,
        subscriptions.subscription_id is not null as is_subscription_known
    from usage_kept
    inner join {{ ref('int_metrics_defined') }} as metrics_defined
        on usage_kept.metric_code = metrics_defined.metric_code
    left join billing_periods
        on usage_kept.invoice_id = billing_periods.invoice_id
    left join metrics_by_period
        on
            billing_periods.subscription_id = metrics_by_period.subscription_id
            and billing_periods.period_index = metrics_by_period.period_index
            and usage_kept.metric_code = metrics_by_period.metric_code
    left join {{ ref('stg_catalog__subscriptions') }} as subscriptions
        on usage_kept.subscription_ref = subscriptions.subscription_id

),

{# Counted usage that a charge takes is kept once more as the charge asks. #}
usage_asked as (

    select
        * exclude (charge, finest_grouping_key) replace (
            {{ asked_group_key('group_key', 'grouping_key',
                "charge['grouping_key']", "charge['group_by']",
                "charge['missing_dimension']") }} as group_key
        ),
        charge['charge_code'] as charge_code,
        charge['has_started'] as has_started,
        charge['cells'] as cells
    from usage_with_charge
    where
        grouping_key = coalesce(charge['grouping_key'], finest_grouping_key)
        or is_late
        or subscription_id is null
        or version_reason is not null
        or unmetered_reason is not null

)

select
    * exclude (cells),
    case
        when version_reason is not null then version_reason
        when coalesce(customer_id, subscription_ref) is null then 'unattributed'
        when customer_id is null and is_subscription_known
            then 'contradicting_references'
        when customer_id is null then 'unknown_subscription'
        when subscription_id is null and not is_covered then 'no_subscription'
        when charge_code is null and is_charged then 'filtered_out'
        when charge_code is null then 'not_charged'
        when unmetered_reason is not null then unmetered_reason
        when {{ lacks_property('group_key') }} then 'missing_dimension'
        when is_late then 'late'
        when not has_started then 'not_started'
        when not {{ has_price('cells', 'group_key') }} then 'no_price'
        when quantity is null then 'quantity_overflow'
        when quantity < 0 then 'negative_quantity'
    end as unbilled_reason
from usage_asked
