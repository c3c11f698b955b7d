{#- The inner aggregation of each bucket, one row per bucket and value of `bucket_by` in it.
    Where empty buckets are 0, one row says for each group how many there are, by its
    `weight`. The arguments are those of `usage_of_parts`. -#}
{% macro values_of_buckets(metric, parts, spans, keys, days, split=false) -%}
    {%- set width = (bucket_width(metric) | trim | int) or none -%}
    {%- set inner_keys = keys + ['outer_slot', 'outer_group_key'] -%}
    {%- set state = metric.traits.state_key + metric.traits.state -%}
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
    )

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
{%- endmacro %}
