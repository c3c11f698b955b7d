{#- The sum of the values, negative ones included; recurring: of all events before
    the end. By days, a value counts for the local days from its own on. -#}
{% macro default__sum_traits(metric, traits) -%}
    {%- do traits.update({
        'adds': not metric.by_days and not metric.recurring, 'recurring': true, 'empty': 0,
        'state': ['value_sum', 'large_whole', 'large_units'],
        'needs_days': metric.by_days, 'daily': not metric.by_days,
        'state_key': ['day_number'] if metric.by_days else [],
    }) -%}
{%- endmacro %}


{% macro default__sum_partial(metric) -%} {{ wide_sum('value') }} {%- endmacro %}


{% macro default__sum_merge(metric) -%} {{ sum_of_sums() }} {%- endmacro %}


{#- What was there before counts from the first day on. -#}
{% macro default__sum_carry(metric) -%}
    {%- if metric.by_days -%}
    min(period_first_day) as day_number,
    {% endif -%}
    {{ sum_of_sums() }}
{%- endmacro %}


{% macro default__sum_total(metric) -%}
    {%- if metric.by_days -%}
    sum({{ whole_of_sum() }} * (period_end_day - day_number)) as area_whole,
    sum({{ units_of_sum() }} * (period_end_day - day_number)) as area_units
    {%- else -%}
    {{ sum_of_sums() }}
    {%- endif -%}
{%- endmacro %}


{% macro default__sum_final(metric) -%}
    {%- if metric.by_days -%}
    {{ div_exact('area_whole', 'area_units', 'full_days') }}
    {%- else -%}
    {{ quantity_of_sum() }}
    {%- endif -%}
{%- endmacro %}
