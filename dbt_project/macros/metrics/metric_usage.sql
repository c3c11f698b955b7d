{#- The quantity of a metric: one row per key, slot and group that has events (or, if
    the metric is recurring, had some before), with the columns of `keys`, slot,
    group_key, quantity (null: more than a quantity holds), event_count,
    first_occurred_at and last_occurred_at, the last three of the period's own events.

    metric  a definition
    events  relation of valued events: the columns of `keys`, slot (the number of the
            period, in order), group_key, occurred_at, file_id, line, value,
            value_text and operation; of metrics by local days, time_zone; of
            those with bucket_by, bucket_parts, the list of its values
    spans   relation of periods: the columns of `keys`, slot, span_start_at,
            span_end_at, full_start_at, full_end_at and time_zone. Events of other
            slots count as before or after it
    keys    names of columns that tell series of periods apart; never null
    days    relation of local days: time_zone, day_number, day_start_at, day_end_at -#}
{% macro metric_usage(metric, events, spans, keys, days) -%}
    with

    parts as (
        {{ metric_parts(
            metric, _events_in_spans(metric, events, spans, keys), keys + ['slot', 'group_key'],
            days
        ) }}
    )

    {{ usage_of_parts(metric, 'parts', spans, keys, days) }}
{%- endmacro %}


{#- What is kept of events until they are counted: one row per `key`, and per whatever
    else the aggregation merges by (`part_key`), with the columns of the state,
    event_count, first_occurred_at and last_occurred_at. `extra` are columns of
    aggregates beside these. -#}
{% macro metric_parts(metric, events, key, days, extra=[]) -%}
    {%- set names = key + [] -%}
    {%- do part_key(metric, names) -%}
    {%- set partial = aggregation_part(metric, 'partial') -%}
    select
        {{ names | join(', ') }},
        {{- partial ~ ',' if partial | trim }}
        {%- for column in extra %}
        {{ column }},
        {%- endfor %}
        cast(count(*) as bigint) as event_count,
        min(occurred_at) as first_occurred_at,
        max(occurred_at) as last_occurred_at
    from (
        {{ _events_placed(metric, events, days) }}
    ) as events_placed
    group by {{ names | join(', ') }}
{%- endmacro %}


{#- `names` gets the columns by which the parts of a group are kept apart. -#}
{% macro part_key(metric, names) -%}
    {%- do names.extend(['bucket_number', 'bucket_start_at', 'bucket_end_at', 'bucket_parts'])
        if metric.bucket is not none -%}
    {%- do names.extend(metric.traits.state_key) -%}
{%- endmacro %}
