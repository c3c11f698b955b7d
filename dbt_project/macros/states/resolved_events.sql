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

offers as (
    select
        *,
        unnest(range(
            {{ _part_of_time('from_at') }}, {{ _part_of_time('to_at') }} + 1
        )) as part_of_time
    from {{ models.int_periods_offered }}
    where metric_code = {{ code }}
    union all
    select
        any_metric.*,
        unnest(range(
            {{ _part_of_time('any_metric.from_at') }},
            {{ _part_of_time('any_metric.to_at') }} + 1
        )) as part_of_time
    from {{ models.int_periods_offered }} as any_metric
    left join {{ models.int_periods_offered }} as own
        on
            any_metric.customer_id = own.customer_id
            and any_metric.subscription_ref = own.subscription_ref
            and any_metric.from_at = own.from_at
            and own.metric_code = {{ code }}
    where any_metric.metric_code is null and own.metric_code is null
),

judged as (
    select * from {{ models.int_events_judged }}
    where metric_code = {{ code }}
),

cuts_by_subscription as (
    select
        subscription_id,
        list(
            struct_pack(cut_at := cut_at, last_batch_id := finalized_batch_id)
            order by cut_at
        ) as cuts
    from {{ models.int_periods_united }}
    group by subscription_id
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
        judged.unbilled_reason as version_reason,
        coalesce(judged.received_at, events_given.received_at) as known_at,
        coalesce(judged.batch_id, events_given.batch_id) as known_batch_id,
        coalesce(
            coalesce(judged.received_at, events_given.received_at) >= offers.cut_at
            or coalesce(judged.batch_id, events_given.batch_id)
            > offers.finalized_batch_id,
            false
        ) as is_late
    from {{ events }} as events_given
    left join offers
        on
            events_given.customer_id = offers.customer_id
            and coalesce(events_given.subscription_ref, '') = offers.subscription_ref
            and {{ _part_of_time('events_given.occurred_at') }} = offers.part_of_time
            and events_given.occurred_at >= offers.from_at
            and events_given.occurred_at < offers.to_at
    left join judged
        on
            events_given.file_id = judged.file_id
            and events_given.line = judged.line
)

select
    events_with_period.* exclude (cut_at),
    case
        when not is_late then cut_at
        else list_filter(
            cuts_by_subscription.cuts,
            lambda cut: cut.cut_at > known_at
            and cut.cut_at >= events_with_period.cut_at
            and coalesce(known_batch_id <= cut.last_batch_id, true)
        )[1].cut_at
    end as due_cut_at
from events_with_period
left join cuts_by_subscription
    on
        case when is_late then events_with_period.subscription_id end
        = cuts_by_subscription.subscription_id
{%- endmacro %}


{#- Which stretch of 30 days has an instant: offers are looked up by it, because a
    name has as many offers as it has periods. -#}
{% macro _part_of_time(instant) -%}
    ({{ microseconds(instant) }} // 2592000000000)
{%- endmacro %}
