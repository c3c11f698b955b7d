{#- The least value. Recurring: the last value before the period counts as an event at
    its start, because a gauge stays where it is. -#}
{% macro default__min_traits(metric, traits) -%}
    {%- do traits.update({
        'recurring': true, 'daily': true,
        'state': ['value_min', 'last_value', 'last_position'] if metric.recurring
            else ['value_min'],
    }) -%}
{%- endmacro %}


{% macro default__min_partial(metric) -%}
    min(value) as value_min
    {%- if metric.recurring -%},
    {{ last_value() }}
    {%- endif -%}
{%- endmacro %}


{% macro default__min_merge(metric) -%}
    min(value_min) as value_min
    {%- if metric.recurring -%},
    {{ last_value('last_value', 'last_position') }}
    {%- endif -%}
{%- endmacro %}


{% macro default__min_carry(metric) -%}
    max_by(last_value, last_position) as value_min,
    {{ last_value('last_value', 'last_position') }}
{%- endmacro %}


{% macro default__min_final(metric) -%} value_min {%- endmacro %}
