{#- The quantities of parts; the arguments are those of `metric_usage`. Parts may share
    their key if they are `split`. `carried` is a relation of parts that count as carried
    in alone. Without `has_own`, a period has nothing but what is carried in. -#}
{% macro usage_of_parts(
    metric, parts, spans, keys, days, split=false, carried=none, has_own=true
) -%}
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
        {{ _usage_of_spans(metric, parts, spans, keys, days, split, carried, has_own) }}
        {%- else %}
        {{ usage_of_buckets(metric, parts, spans, keys, days, split) }}
        {%- endif %}
    ) as usage_unrounded
{%- endmacro %}


{% macro _usage_of_spans(
    metric, parts, spans, keys, days, split=false, carried=none, has_own=true
) -%}
    {%- set traits = metric.traits -%}
    {%- set key = keys + ['slot', 'group_key'] -%}
    {%- set span = ['span_start_at', 'span_end_at', 'full_start_at', 'full_end_at'] -%}
    {%- do span.extend(['period_first_day', 'period_end_day', 'full_days'])
        if traits.needs_days -%}
    {%- set merge = aggregation_part(metric, 'merge') -%}
    {%- set windows = aggregation_part(metric, 'windows', [key | join(', ')]) -%}
    {%- set total = aggregation_part(metric, 'total') or merge -%}
    {%- set is_merged = traits.state_key and (split or metric.recurring) -%}
    with

    spans_known as (
        {{ _spans_with_days(spans, days) if traits.needs_days else 'select * from ' ~ spans }}
    ),

    held as (
        {%- if has_own %}
        select
            parts_own.{{ (key + traits.state_key + traits.state) | join(', parts_own.') }},
            parts_own.event_count,
            parts_own.first_occurred_at,
            parts_own.last_occurred_at,
            spans_known.{{ span | join(', spans_known.') }}
        from {{ parts }} as parts_own
        inner join spans_known
            on {{ _same(keys + ['slot'], 'parts_own', 'spans_known') }}
        {%- endif %}
        {%- if metric.recurring %}
        {{ 'union all' if has_own }}
        {{ _carried_in(metric, parts, carried, keys, span, merge) }}
        {%- endif %}
    ),

    {%- if is_merged %}

    merged as (
        {{ _merged(key + span + traits.state_key, merge, 'held') }}
    ),
    {%- endif %}

    windowed as (
        {{ _windowed(windows, 'merged' if is_merged else 'held') }}
    ),

    totals as (
        {{ _merged(key + span, total, 'windowed') }}
    )

    select
        {{ key | join(', ') }},
        {{ aggregation_part(metric, 'final') }} as quantity,
        event_count,
        first_occurred_at,
        last_occurred_at
    from totals
{%- endmacro %}
