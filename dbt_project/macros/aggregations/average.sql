{#- The sum of the values by their number, half away from zero at 18 digits. -#}
{% macro default__average_traits(metric, traits) -%}
    {%- do traits.update({'state': ['sum_whole', 'sum_units']}) -%}
{%- endmacro %}


{#- In two integers, because the sum may have more digits than a quantity. -#}
{% macro default__average_partial(metric) -%}
    sum({{ whole('value') }}) as sum_whole,
    sum({{ fraction_units('value', 18) }}) as sum_units
{%- endmacro %}


{% macro default__average_merge(metric) -%}
    sum(sum_whole) as sum_whole,
    sum(sum_units) as sum_units
{%- endmacro %}


{% macro default__average_final(metric) -%}
    {{ div_exact('sum_whole', 'sum_units', 'event_count') }}
{%- endmacro %}
