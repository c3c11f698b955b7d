{#- The buckets of a metric in periods of the relation `spans`, by what it keeps. -#}
{% macro bucket_values_of(metric, models, names, days) -%}
    with spans_of_metric as (
        select * from spans
        where metric_code = {{ sql_text(metric.metric_code) }}
    ),

    parts as (
        {{ parts_by_grouping(metric, models, names, false, 'spans_of_metric') }}
    )

    {{ 'select * from (' ~ values_of_buckets(metric, 'parts', 'spans_of_metric',
        ['subscription_id', 'grouping_key'], days, true) ~ ') as values_found' }}
{%- endmacro %}
