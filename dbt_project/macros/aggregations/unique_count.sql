{#- How many distinct texts there are: `1` and `1.0` are two, and case matters. With an
    operation, those whose last one by position is add; recurring: over all of the
    past. By days, the local days on which each text was there at any instant, by the
    days of the full period. -#}
{% macro default__unique_count_traits(metric, traits) -%}
    {%- set of_event = ['value_text', 'occurred_at', 'file_id', 'line', 'operation',
                        'day_number', 'day_start_at'] -%}
    {%- do traits.update({
        'value': 'text', 'recurring': true, 'empty': 0, 'needs_days': metric.by_days,
        'state_key': of_event if metric.by_days else ['value_text'],
        'carry_key': of_event if metric.by_days else ['value_text'],
        'state': ['last_operation', 'last_position']
            if metric.operation is not none and not metric.by_days else [],
    }) -%}
{%- endmacro %}


{% macro default__unique_count_partial(metric) -%}
    {%- if metric.operation is not none and not metric.by_days -%}
    max_by(operation, {{ position('occurred_at', 'file_id', 'line') }})
        as last_operation,
    max({{ position('occurred_at', 'file_id', 'line') }}) as last_position
    {%- endif -%}
{%- endmacro %}


{% macro default__unique_count_merge(metric) -%}
    {%- if metric.operation is not none and not metric.by_days -%}
    max_by(last_operation, last_position) as last_operation,
    max(last_position) as last_position
    {%- endif -%}
{%- endmacro %}


{#- By days: a text that is added is there until the instant of the next event about
    it, and on the local day of that instant unless it begins there. -#}
{% macro default__unique_count_windows(metric, partition) -%}
    {%- if metric.by_days -%}
    {%- set of_text = 'partition by ' ~ partition
        ~ ', value_text order by occurred_at, file_id, line' -%}
    greatest(day_number, period_first_day) as held_from_day,
    case
        when operation = 'remove' then null
        else least(
            coalesce(
                lead(
                    day_number
                    - case when occurred_at = day_start_at then 1 else 0 end
                ) over ({{ of_text }}),
                period_end_day
            ),
            period_end_day - 1
        )
    end as held_to_day
    ---
    max(held_to_day) over (
        {{ of_text }}
        rows between unbounded preceding and 1 preceding
    ) as covered_to_day
    {%- endif -%}
{%- endmacro %}


{% macro default__unique_count_total(metric) -%}
    {%- if metric.by_days -%}
    sum(
        greatest(
            held_to_day
            - greatest(held_from_day, coalesce(covered_to_day + 1, held_from_day))
            + 1,
            0
        )
    ) as held_days
    {%- else -%}
    count(*)
        {%- if metric.operation is not none %}
        filter (where last_operation = 'add')
        {%- endif %} as text_count
    {%- endif -%}
{%- endmacro %}


{% macro default__unique_count_final(metric) -%}
    {%- if metric.by_days -%}
    {{ div_exact('coalesce(held_days, 0)', '0', 'full_days') }}
    {%- else -%}
    cast(text_count as decimal(38, 18))
    {%- endif -%}
{%- endmacro %}
