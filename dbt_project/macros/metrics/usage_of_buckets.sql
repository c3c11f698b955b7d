{#- A metric by buckets: the inner aggregation of each bucket, and of each value of
    `bucket_by` in it, then `combine` over them. The arguments are those of
    `metric_usage`. -#}
{% macro usage_of_buckets(metric, events, spans, keys, days) -%}
    {%- set minutes = bucket_minutes(metric.bucket) | trim -%}
    {%- set width = none if minutes == 'day' else (minutes | int) * 60000000 -%}
    {%- set inner_keys = keys + ['outer_slot', 'outer_group_key'] -%}
    {%- set combine_key = keys + ['slot', 'group_key', 'row_name'] -%}
    with

    events_in_buckets as (
        {{ _events_in_buckets(metric, events, keys, days, width) }}
    ),

    buckets as (
        select distinct
            events_in_buckets.{{ inner_keys | join(', events_in_buckets.') }},
            events_in_buckets.slot,
            spans_given.row_name,
            greatest(bucket_start_at, spans_given.span_start_at) as span_start_at,
            least(bucket_end_at, spans_given.span_end_at) as span_end_at,
            bucket_start_at as full_start_at,
            bucket_end_at as full_end_at
        from events_in_buckets
        inner join {{ spans }} as spans_given
            on
                events_in_buckets.outer_slot = spans_given.slot
                {%- for name in keys %}
                and events_in_buckets.{{ name }} = spans_given.{{ name }}
                {%- endfor %}
    ),

    usage_of_parts as (
        {{ _usage_of_events(metric, 'events_in_buckets', 'buckets', inner_keys, days) }}
    ),

    bucket_values as (
        select
            {{ keys | join(', ') }},
            outer_slot as slot,
            outer_group_key as group_key,
            slot as bucket_number,
            quantity,
            event_count,
            first_occurred_at,
            last_occurred_at,
            1 as weight
        from usage_of_parts
        {%- if metric.empty_buckets == 'zero' %}
        union all
        {{ _empty_buckets(spans, keys, days, width) }}
        {%- endif %}
    ),

    values_named as (
        select
            bucket_values.*,
            spans_given.row_name
        from bucket_values
        inner join {{ spans }} as spans_given
            on {{ _same(keys + ['slot'], 'bucket_values', 'spans_given') }}
    ),

    values_ranked as (
        select
            *
            {%- if metric.combine == 'percentile' %},
            {{ running_counts('quantity', 'weight', (keys + ['slot', 'group_key']) | join(', ')) }}
            {%- endif %}
        from values_named
    ),

    values_combined as (
        select
            {{ combine_key | join(', ') }},
            cast(sum(event_count) as bigint) as event_count,
            min(first_occurred_at) as first_occurred_at,
            max(last_occurred_at) as last_occurred_at,
            sum(weight) as weight,
            {% if metric.combine == 'percentile' -%}
            {{ value_at_rank('quantity', metric.percentile) }} as value_combined
            {%- elif metric.combine == 'average' -%}
            sum({{ whole('quantity') }}) as sum_whole,
            sum({{ fraction_units('quantity', 18) }}) as sum_units
            {%- else -%}
            {{ metric.combine }}(quantity) as value_combined
            {%- endif %}
        from values_ranked
        group by {{ combine_key | join(', ') }}
    )

    select
        {{ combine_key | join(', ') }},
        {% if metric.combine == 'average' -%}
        {{ div_exact('sum_whole', 'sum_units', 'weight') }}
        {%- else -%}
        {{ within_quantity('value_combined') }}
        {%- endif %} as quantity,
        event_count,
        first_occurred_at,
        last_occurred_at
    from values_combined
{%- endmacro %}
