{#- A level by the time for which it held, by the full period: the values are its
    changes, or `levels`. A level of 10 for half a month is 5. Recurring: the level
    before the period goes on. -#}
{% macro default__weighted_sum_traits(metric, traits) -%}
    {%- do traits.update({
        'recurring': true, 'empty': 0, 'needs_span': true,
        'state_key': ['occurred_at', 'file_id', 'line', 'value']
            if metric['values'] == 'levels' else [],
        'state': [] if metric['values'] == 'levels'
            else ['value_whole', 'value_units', 'moment_whole', 'moment_units'],
    }) -%}
{%- endmacro %}


{#- The moment of changes: each times the microseconds since the period's start. -#}
{% macro default__weighted_sum_partial(metric) -%}
    {%- if metric['values'] != 'levels' -%}
    {%- set since = '(' ~ microseconds('occurred_at') ~ ' - '
        ~ microseconds('span_start_at') ~ ')' -%}
    sum({{ whole('value') }}) as value_whole,
    sum({{ fraction_units('value', 18) }}) as value_units,
    sum({{ whole('value') }} * {{ since }}) as moment_whole,
    sum({{ fraction_units('value', 18) }} * {{ since }}) as moment_units
    {%- endif -%}
{%- endmacro %}


{% macro default__weighted_sum_merge(metric) -%}
    {%- if metric['values'] != 'levels' -%}
    sum(value_whole) as value_whole,
    sum(value_units) as value_units,
    sum(moment_whole) as moment_whole,
    sum(moment_units) as moment_units
    {%- endif -%}
{%- endmacro %}


{#- What was there before is there from the start on. -#}
{% macro default__weighted_sum_carry(metric) -%}
    {%- if metric['values'] == 'levels' -%}
    span_start_at as occurred_at,
    -1 as file_id,
    -1 as line,
    max_by(value, {{ position('occurred_at', 'file_id', 'line') }}) as value
    {%- else -%}
    sum(value_whole) as value_whole,
    sum(value_units) as value_units,
    cast(0 as {{ wide_integer() }}) as moment_whole,
    cast(0 as {{ wide_integer() }}) as moment_units
    {%- endif -%}
{%- endmacro %}


{% macro default__weighted_sum_windows(metric, partition) -%}
    {%- if metric['values'] == 'levels' -%}
    {{ microseconds('coalesce(lead(occurred_at) over (partition by ' ~ partition
        ~ ' order by occurred_at, file_id, line), span_end_at)') }}
    - {{ microseconds('occurred_at') }} as held_microseconds
    {%- endif -%}
{%- endmacro %}


{% macro default__weighted_sum_total(metric) -%}
    {%- if metric['values'] == 'levels' -%}
    sum({{ whole('value') }} * held_microseconds) as area_whole,
    sum({{ fraction_units('value', 18) }} * held_microseconds) as area_units
    {%- else -%}
    {%- set length = '(' ~ microseconds('span_end_at') ~ ' - '
        ~ microseconds('span_start_at') ~ ')' -%}
    sum(value_whole) * {{ length }} - sum(moment_whole) as area_whole,
    sum(value_units) * {{ length }} - sum(moment_units)
        as area_units
    {%- endif -%}
{%- endmacro %}


{% macro default__weighted_sum_final(metric) -%}
    {{ div_exact(
        'area_whole', 'area_units',
        '(' ~ microseconds('full_end_at') ~ ' - ' ~ microseconds('full_start_at') ~ ')'
    ) }}
{%- endmacro %}
