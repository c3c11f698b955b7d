{#- A metric by buckets: the inner aggregation of each bucket, and of each value of
    `bucket_by` in it, then `combine` over them. The arguments are those of
    `usage_of_parts`. -#}
{% macro usage_of_buckets(metric, parts, spans, keys, days, split=false) -%}
    {%- set combine_key = keys + ['slot', 'group_key'] -%}
    with

    bucket_values as (
        {{ values_of_buckets(metric, parts, spans, keys, days, split) }}
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
