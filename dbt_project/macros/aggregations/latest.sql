{#- The value of the last event by instant, then by place; recurring: also of one
    before the period. -#}
{% macro default__latest_traits(metric, traits) -%}
    {%- do traits.update({
        'recurring': true, 'state': ['last_value', 'last_position']
    }) -%}
{%- endmacro %}


{% macro default__latest_partial(metric) -%} {{ last_value() }} {%- endmacro %}


{% macro default__latest_merge(metric) -%}
    {{ last_value('last_value', 'last_position') }}
{%- endmacro %}


{% macro default__latest_final(metric) -%} last_value {%- endmacro %}
