{#- The least value that so many percent of the events do not exceed: the nearest
    rank, always a value that occurred. A state is kept for each value. -#}
{% macro default__percentile_traits(metric, traits) -%}
    {%- do traits.update({'state_key': ['value']}) -%}
{%- endmacro %}


{#- A value's state is its event_count. -#}
{% macro default__percentile_partial(metric) -%} {%- endmacro %}


{% macro default__percentile_merge(metric) -%} {%- endmacro %}


{% macro default__percentile_windows(metric, partition) -%}
    {{ running_counts('value', 'event_count', partition) }}
{%- endmacro %}


{% macro default__percentile_total(metric) -%}
    {{ value_at_rank('value', metric.percentile) }} as value_at_rank
{%- endmacro %}


{% macro default__percentile_final(metric) -%} value_at_rank {%- endmacro %}
