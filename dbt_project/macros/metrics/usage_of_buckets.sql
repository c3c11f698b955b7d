{#- A metric by buckets: the inner aggregation of each bucket, and of each value of
    `bucket_by` in it, then `combine` over them. The arguments are those of
    `usage_of_parts`. -#}
{% macro usage_of_buckets(metric, parts, spans, keys, days, split=false) -%}
    {%- set width = (bucket_width(metric) | trim | int) or none -%}
    {%- set inner_keys = keys + ['outer_slot', 'outer_group_key'] -%}
    {%- set state = metric.traits.state_key + metric.traits.state -%}
    {%- set combine_key = keys + ['slot', 'group_key'] -%}
    with

    parts_in_buckets as (
        select
            {{ keys | join(', ') }},
            slot as outer_slot,
            group_key as outer_group_key,
            bucket_number as slot,
            bucket_parts as group_key,
            bucket_start_at,
            bucket_end_at,
            {{- (state | join(', ') ~ ',') if state }}
            event_count,
            first_occurred_at,
            last_occurred_at
        from {{ parts }}
    ),

    buckets as (
        select distinct
            parts_in_buckets.{{ inner_keys | join(', parts_in_buckets.') }},
            parts_in_buckets.slot,
            greatest(bucket_start_at, spans_given.span_start_at) as span_start_at,
            least(bucket_end_at, spans_given.span_end_at) as span_end_at,
            bucket_start_at as full_start_at,
            bucket_end_at as full_end_at
        from parts_in_buckets
        inner join {{ spans }} as spans_given
            on
                parts_in_buckets.outer_slot = spans_given.slot
                {%- for name in keys %}
                and parts_in_buckets.{{ name }} = spans_given.{{ name }}
                {%- endfor %}
    ),

    usage_of_buckets as (
        {{ _usage_of_spans(
            metric, 'parts_in_buckets', 'buckets', inner_keys, days, split
        ) }}
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
        from usage_of_buckets
        {%- if metric.empty_buckets == 'zero' %}
        union all
        {{ _empty_buckets(spans, keys, days, width) }}
        {%- endif %}
    ),

    values_ranked as (
        select
            *
            {%- if metric.combine == 'percentile' %},
            {{ running_counts('quantity', 'weight', (keys + ['slot', 'group_key']) | join(', ')) }}
            {%- endif %}
        from bucket_values
    ),

    values_combined as (
        select
            {{ combine_key | join(', ') }},
            cast(sum(event_count) as bigint) as event_count,
            min(first_occurred_at) as first_occurred_at,
            max(last_occurred_at) as last_occurred_at,
            sum(weight) as weight,
            bool_or(quantity is null) as is_beyond,
            {% if metric.combine == 'percentile' -%}
            {{ value_at_rank('quantity', metric.percentile) }} as value_combined
            {%- elif metric.combine in ('average', 'sum') -%}
            {{ wide_sum('quantity') }}
            {%- else -%}
            {{ metric.combine }}(quantity) as value_combined
            {%- endif %}
        from values_ranked
        group by {{ combine_key | join(', ') }}
    )

    select
        {{ combine_key | join(', ') }},
        case
            when not is_beyond then
            {% if metric.combine == 'average' -%}
            {{ div_exact(whole_of_sum(), units_of_sum(), 'weight') }}
            {%- elif metric.combine == 'sum' -%}
            {{ quantity_of_sum() }}
            {%- else -%}
            value_combined
            {%- endif %}
        end as quantity,
        event_count,
        first_occurred_at,
        last_occurred_at
    from values_combined
{%- endmacro %}
