{#- The quantity of a metric: one row per key, slot and group that has events (or, if
    the metric is recurring, had some before), with the columns of `keys`, slot,
    group_key, quantity (null: no value), event_count, first_occurred_at and
    last_occurred_at, the last three of the period's own events.

    metric  a definition
    events  relation of valued events: the columns of `keys`, slot (the number of the
            period, in order), group_key, occurred_at, file_id, line, value,
            value_text and operation; of metrics by local days, time_zone; of
            those with bucket_by, bucket_parts, the list of its values
    spans   relation of periods: the columns of `keys`, slot, span_start_at,
            span_end_at, full_start_at, full_end_at, time_zone and row_name, a text
            that names it. Events of other slots count as before or after it
    keys    names of columns that tell series of periods apart; never null
    days    relation of local days: time_zone, day_number, day_start_at, day_end_at -#}
{% macro metric_usage(metric, events, spans, keys, days) -%}
    select
        {{ keys | join(', ') }},
        slot,
        group_key,
        {{ rounded_quantity(metric, 'quantity') }} as quantity,
        event_count,
        first_occurred_at,
        last_occurred_at
    from (
        {%- if metric.bucket is none %}
        {{ _usage_of_events(metric, events, spans, keys, days) }}
        {%- else %}
        {{ usage_of_buckets(metric, events, spans, keys, days) }}
        {%- endif %}
    ) as usage_unrounded
{%- endmacro %}


{% macro _usage_of_events(metric, events, spans, keys, days) -%}
    {%- set traits = metric.traits -%}
    {%- set key = keys + ['slot', 'group_key'] -%}
    {%- set span = ['span_start_at', 'span_end_at', 'full_start_at', 'full_end_at', 'row_name'] -%}
    {%- do span.extend(['period_first_day', 'period_end_day', 'full_days'])
        if traits.needs_days -%}
    {%- set partial = aggregation_part(metric, 'partial') -%}
    {%- set merge = aggregation_part(metric, 'merge') -%}
    {%- set windows = aggregation_part(metric, 'windows', [key | join(', ')]) -%}
    {%- set total = aggregation_part(metric, 'total') or merge -%}
    {%- set carry = aggregation_part(metric, 'carry')
        or (traits.carry_key + ([merge] if merge else [])) | join(', ') -%}
    {%- set state = traits.state_key + traits.state -%}
    with

    spans_known as (
        {{ _spans_with_days(spans, days) if traits.needs_days else 'select * from ' ~ spans }}
    ),

    events_placed as (
        {{ _events_placed(metric, events, keys, days) }}
    ),

    parts as (
        select
            {{ (key + traits.state_key) | join(', ') }},
            {{- partial ~ ',' if partial }}
            cast(count(*) as bigint) as event_count,
            min(occurred_at) as first_occurred_at,
            max(occurred_at) as last_occurred_at
        from events_placed
        group by {{ (key + traits.state_key) | join(', ') }}
    ),

    held as (
        select
            parts.{{ (key + state) | join(', parts.') }},
            parts.event_count,
            parts.first_occurred_at,
            parts.last_occurred_at,
            spans_known.{{ span | join(', spans_known.') }}
        from parts
        inner join spans_known
            on {{ _same(keys + ['slot'], 'parts', 'spans_known') }}
        {%- if metric.recurring %}
        union all
        select
            {{ key | join(', ') }},
            {{ carry }},
            cast(0 as bigint) as event_count,
            cast(null as timestamptz) as first_occurred_at,
            cast(null as timestamptz) as last_occurred_at,
            {{ span | join(', ') }}
        from (
            select
                spans_known.slot,
                parts.{{ (keys + ['group_key'] + state) | join(', parts.') }},
                spans_known.{{ span | join(', spans_known.') }}
            from parts
            inner join spans_known
                on
                    {{ _same(keys, 'parts', 'spans_known') }}
                    and parts.slot < spans_known.slot
        ) as earlier
        group by {{ (key + span + traits.carry_key) | join(', ') }}
        {%- endif %}
    ),

    {%- if traits.state_key and metric.recurring %}

    merged as (
        {{ _merged(key + span + traits.state_key, merge, 'held') }}
    ),
    {%- endif %}

    windowed as (
        {%- set merged_rows = 'merged' if traits.state_key and metric.recurring else 'held' %}
        {{ _windowed(windows, merged_rows) }}
    ),

    totals as (
        {{ _merged(key + span, total, 'windowed') }}
    )

    select
        {{ key | join(', ') }},
        row_name,
        {{ aggregation_part(metric, 'final') }} as quantity,
        event_count,
        first_occurred_at,
        last_occurred_at
    from totals
{%- endmacro %}
