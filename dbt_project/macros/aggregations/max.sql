{#- The greatest value. Recurring: the last value before the period counts as an event at
    its start, because a gauge stays where it is. -#}
{% macro default__max_traits(metric, traits) -%}
    {%- do traits.update({
        'recurring': true, 'daily': true,
        'state': ['value_max', 'last_value', 'last_position'] if metric.recurring
            else ['value_max'],
    }) -%}
{%- endmacro %}


{% macro default__max_partial(metric) -%}
    max(value) as value_max
    {%- if metric.recurring -%},
    {{ last_value() }}
    {%- endif -%}
{%- endmacro %}


{% macro default__max_merge(metric) -%}
    max(value_max) as value_max
    {%- if metric.recurring -%},
    {{ last_value('last_value', 'last_position') }}
    {%- endif -%}
{%- endmacro %}


{% macro default__max_carry(metric) -%}
    max_by(last_value, last_position) as value_max,
    {{ last_value('last_value', 'last_position') }}
{%- endmacro %}


{% macro default__max_final(metric) -%} value_max {%- endmacro %}
