{#- The sum of the values by their number, half away from zero at 18 digits. -#}
{% macro default__average_traits(metric, traits) -%}
    {%- do traits.update({'state': ['value_sum', 'large_whole', 'large_units']}) -%}
{%- endmacro %}


{% macro default__average_partial(metric) -%} {{ wide_sum('value') }} {%- endmacro %}


{% macro default__average_merge(metric) -%} {{ sum_of_sums() }} {%- endmacro %}


{% macro default__average_final(metric) -%}
    {{ div_exact(whole_of_sum(), units_of_sum(), 'event_count') }}
{%- endmacro %}
