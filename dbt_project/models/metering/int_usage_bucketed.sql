{# Of periods whose price is of each bucket. #}
-- depends_on: {{ ref('int_usage_kept') }}
{% set models = {'int_periods_united': ref('int_periods_united')} %}
{% set days = ref('stg_calendar__local_days') %}
with

charges as (

    select * from {{ ref('stg_catalog__charges') }}
    where priced_each = 'bucket'

),

spans as (

    select
        charges_by_period.metric_code,
        charges_by_period.charge_code,
        charges_by_period.subscription_id,
        billing_periods.invoice_id,
        billing_periods.period_index as slot,
        {{ grouping_key('charges.group_by', 'charges.missing_dimension',
            'charges.conditions') }} as grouping_key,
        charges.group_by,
        charges.missing_dimension,
        charges.conditions,
        billing_periods.period_start_at as span_start_at,
        billing_periods.period_end_at as span_end_at,
        billing_periods.full_start_at,
        billing_periods.full_end_at,
        billing_periods.time_zone
    from {{ ref('int_charges_by_period') }} as charges_by_period
    inner join charges
        on
            charges_by_period.plan_code = charges.plan_code
            and charges_by_period.charge_code = charges.charge_code
            and coalesce(charges_by_period.price_subscription_id, '')
            = coalesce(charges.subscription_id, '')
            and charges_by_period.price_valid_from = charges.price_valid_from
    inner join {{ ref('int_periods_united') }} as billing_periods
        on
            charges_by_period.subscription_id = billing_periods.subscription_id
            and charges_by_period.period_index = billing_periods.period_index
    where
        charges_by_period.has_started
        and billing_periods.finalized_batch_id is null

),

buckets as (

    {% for metric in metric_definitions() if metric.bucket %}
    {%- set names = {
        'state': kept('state_' ~ metric.metric_code),
        'slots': kept('slots_' ~ metric.metric_code)
    } %}
    select
        spans_given.metric_code,
        spans_given.subscription_id,
        spans_given.slot as period_index,
        spans_given.charge_code,
        bucket_values.group_key,
        bucket_values.bucket_number,
        bucket_values.quantity,
        bucket_values.weight
    from ({{ bucket_values_of(metric, models, names, days) }}) as bucket_values
    inner join spans as spans_given
        using (subscription_id, grouping_key, slot)
    where spans_given.metric_code = {{ sql_text(metric.metric_code) }}
    union all
    {% endfor %}
    select
        metric_code,
        subscription_id,
        slot as period_index,
        charge_code,
        null as group_key,
        null as bucket_number,
        null as quantity,
        null as weight
    from spans
    where false

)

select
    metric_code,
    subscription_id,
    period_index,
    charge_code,
    cast(group_key as varchar) as group_key,
    cast(bucket_number as bigint) as bucket_number,
    cast(quantity as decimal(38, 18)) as quantity,
    cast(weight as bigint) as weight
from buckets
