{#- How many events match. With a value, how many of them have one. -#}
{% macro default__count_traits(metric, traits) -%}
    {%- do traits.update({'needs_value': false, 'adds': metric.value is none, 'empty': 0,
        'daily': true}) -%}
{%- endmacro %}


{#- Every state has its event_count. -#}
{% macro default__count_partial(metric) -%} {%- endmacro %}


{% macro default__count_merge(metric) -%} {%- endmacro %}


{% macro default__count_final(metric) -%}
    cast(event_count as decimal(38, 18))
{%- endmacro %}
