{#- Events of a metric with what they resolve to today: customer, subscription and
    period, whether they came too late for it and which cut they are due at instead,
    and the reason why something else than their own time decides about them. At most
    one row per event, because no two offers share an instant.

    metric_code  of the metric
    events       relation with the columns of `metric_<code>`
    models       relations by the names of models -#}
{% macro resolved_events(metric_code, events, models) -%}
    {{ adapter.dispatch('resolved_events')(metric_code, events, models) }}
{%- endmacro %}


{% macro duckdb__resolved_events(metric_code, events, models) -%}
{%- set code = sql_text(metric_code) -%}
with

offers_of_metric as (
    select * from {{ models.int_periods_offered }}
    where metric_code = {{ code }}
    union all
    select any_metric.*
    from {{ models.int_periods_offered }} as any_metric
    left join {{ models.int_periods_offered }} as own
        on
            any_metric.customer_id = own.customer_id
            and any_metric.subscription_ref = own.subscription_ref
            and any_metric.from_at = own.from_at
            and own.metric_code = {{ code }}
    where any_metric.metric_code is null and own.metric_code is null
),

offers as (
    {{ offers_by_part('offers_of_metric') }}
),

judged as (
    select * from {{ models.int_events_judged }}
    where metric_code = {{ code }}
),

events_with_period as (
    select
        events_given.*,
        offers.customer_id is not null as is_covered,
        offers.subscription_id,
        offers.invoice_id,
        offers.period_start_at as span_start_at,
        offers.time_zone,
        offers.cut_at,
        offers.finalized_batch_id,
        judged.unbilled_reason as version_reason,
        coalesce(judged.received_at, events_given.received_at) as known_at,
        coalesce(judged.batch_id, events_given.batch_id) as known_batch_id
    from {{ events }} as events_given
    left join offers
        on
            events_given.customer_id = offers.customer_id
            and coalesce(events_given.subscription_ref, '') = offers.subscription_ref
            and {{ part_of_time('events_given.occurred_at') }} = offers.part_of_time
            and events_given.occurred_at >= offers.from_at
            and events_given.occurred_at < offers.to_at
    left join judged
        on
            events_given.file_id = judged.file_id
            and events_given.line = judged.line
)

{{ with_due_cut('events_with_period', models) }}
{%- endmacro %}
