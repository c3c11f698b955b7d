{# Metrics whose quantities do not add up, each by the macro that the preview
   renders. What adds up is summed in one pass, in `int_usage_metered`. #}
{% set metrics = [] %}
{% for definition in metric_definitions()
    if is_additive(definition) | trim == 'false' %}
    {% do metrics.append(definition) %}
{% endfor %}

with

events_assigned as (

    select * from {{ ref('int_events_assigned') }}

),

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

charges_by_period as (

    select * from {{ ref('int_charges_by_period') }}

),

{% for metric in metrics %}
usage_{{ loop.index }} as (

    {{ usage_of_metric(
        metric, 'events_assigned', 'charges_by_period', 'billing_periods'
    ) }}

),
{% endfor %}

usage_united as (

    {% for metric in metrics %}
    select
        {{ sql_text(metric.metric_code) }} as metric_code,
        *
    from usage_{{ loop.index }}
    union all
    {% endfor %}
    select
        null as metric_code,
        null as subscription_id,
        null as charge_code,
        null as slot,
        null as group_key,
        null as quantity,
        null as event_count,
        null as first_occurred_at,
        null as last_occurred_at
    where false

)

select
    cast(metric_code as varchar) as metric_code,
    cast(subscription_id as varchar) as subscription_id,
    cast(charge_code as varchar) as charge_code,
    cast(slot as integer) as period_index,
    cast(group_key as varchar) as group_key,
    cast(quantity as decimal(38, 18)) as quantity
from usage_united
