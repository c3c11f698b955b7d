{#- The quantities of one metric, by the subscriptions, charges and periods that bill
    it: one row per subscription_id, charge_code, slot (the period's number) and
    group_key. The arguments are relations. -#}
{% macro usage_of_metric(metric, events_assigned, charges_by_period, billing_periods) -%}
with

events_billable as (

    select
        subscription_id,
        charge_code,
        period_index as slot,
        group_key,
        occurred_at,
        file_id,
        line,
        {{ value_columns() }}
        {%- if metric.bucket_by %},
        {{ properties_listed(metric.bucket_by, 'dimensions') }} as bucket_parts
        {%- endif %}
    from {{ events_assigned }}
    where
        metric_code = {{ sql_text(metric.metric_code) }}
        and unbilled_reason is null

),

periods_charged as (

    select
        charges.subscription_id,
        charges.charge_code,
        charges.period_index as slot,
        periods.period_start_at as span_start_at,
        periods.period_end_at as span_end_at,
        periods.full_start_at,
        periods.full_end_at,
        concat_ws(
            '/',
            charges.metric_code,
            charges.subscription_id,
            charges.period_index
        ) as row_name
    from {{ charges_by_period }} as charges
    inner join {{ billing_periods }} as periods
        on
            charges.subscription_id = periods.subscription_id
            and charges.period_index = periods.period_index
    where
        charges.metric_code = {{ sql_text(metric.metric_code) }}
        and charges.void_invoice_id is null

)

{{ metric_usage(
    metric,
    'events_billable',
    'periods_charged',
    ['subscription_id', 'charge_code'],
    none
) }}
{%- endmacro %}
