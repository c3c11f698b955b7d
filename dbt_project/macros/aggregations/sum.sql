{#- The sum of the values, negative ones included; recurring: of all events before
    the end. By days, a value counts for the local days from its own on. -#}
{% macro default__sum_traits(metric, traits) -%}
    {%- do traits.update({
        'adds': not metric.by_days and not metric.recurring, 'recurring': true, 'empty': 0,
        'state': ['value_sum'],
        'needs_days': metric.by_days,
        'state_key': ['day_number'] if metric.by_days else [],
    }) -%}
{%- endmacro %}


{% macro default__sum_partial(metric) -%}
    sum(value) as value_sum
{%- endmacro %}


{% macro default__sum_merge(metric) -%}
    sum(value_sum) as value_sum
{%- endmacro %}


{#- What was there before counts from the first day on. -#}
{% macro default__sum_carry(metric) -%}
    {%- if metric.by_days -%}
    min(period_first_day) as day_number,
    {% endif -%}
    sum(value_sum) as value_sum
{%- endmacro %}


{% macro default__sum_total(metric) -%}
    {%- if metric.by_days -%}
    sum({{ whole('value_sum') }} * (period_end_day - day_number)) as area_whole,
    sum({{ fraction_units('value_sum', 18) }} * (period_end_day - day_number))
        as area_units
    {%- else -%}
    {{ default__sum_merge(metric) }}
    {%- endif -%}
{%- endmacro %}


{% macro default__sum_final(metric) -%}
    {%- if metric.by_days -%}
    {{ div_exact('area_whole', 'area_units', 'full_days') }}
    {%- else -%}
    {{ within_quantity('value_sum') }}
    {%- endif -%}
{%- endmacro %}
