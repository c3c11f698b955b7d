{#- The events of all billable metrics, one row per event and metric. -#}
{% macro metered_events() -%}
    {{ union_of('metric_', var('billable_metrics')) }}
{%- endmacro %}

{#- Charges or periods as they are offered: to events that name no subscription,
    and to those that name this one. Two rows instead of an `or` in the join to
    events, which would make DuckDB try all pairs. -#}
{% macro offered_by_reference(charges) -%}
    select
        *,
        '' as subscription_ref
    from {{ charges }}
    union all
    select
        *,
        subscription_id as subscription_ref
    from {{ charges }}
{%- endmacro %}

{#- Whether a charge is offered to a metered event: the one condition by which
    usage finds its line. Each part compares one side with the other. -#}
{% macro is_offered(charge, event) %}
            {{ event }}.customer_id = {{ charge }}.customer_id
            and coalesce({{ event }}.subscription_ref, '')
            = {{ charge }}.subscription_ref
            and {{ event }}.metric_code = {{ charge }}.metric_code
            and {{ event }}.occurred_at >= {{ charge }}.period_start_at
            and {{ event }}.occurred_at < {{ charge }}.period_end_at
{%- endmacro %}

{#- The columns by which a metric's aggregation knows an event. -#}
{% macro value_columns() -%}
    value,
    value_text,
    operation
{%- endmacro %}
