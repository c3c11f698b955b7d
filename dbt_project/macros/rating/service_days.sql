{#- The local days of what lines are for, a list of each span: from the label of its
    start (`start_date`, else the day that holds the instant) to the day that holds its last
    instant. A day that the zone skipped is none. `days` has the columns of
    `stg_calendar__local_days`; a zone that it lacks has the day of UTC alone. -#}
{% macro service_days(lines, days) -%}
    {%- set span = ['time_zone', 'start_date', 'service_start_at', 'service_end_at'] -%}
    {%- set starts -%}
        (
            select distinct
                {{ span | join(', ') }},
                service_end_at - interval 1 microsecond as last_instant_at
            from {{ lines }}
        )
    {%- endset -%}
    {%- set begun = '(' ~ with_local_day(starts, 'service_start_at', days,
        'local_days.day_number as day_of_start') ~ ')' -%}
    {%- set ended = '(' ~ with_local_day(begun, 'last_instant_at', days,
        'local_days.day_number as day_of_end') ~ ')' -%}
    select
        spans.{{ span | join(', spans.') }},
        list(spans.day_number order by spans.day_number) as day_numbers
    from (
        select
            *,
            unnest(range(first_day, last_day + 1)) as day_number
        from (
            select
                *,
                greatest(first_day, coalesce(day_of_end, first_day)) as last_day
            from (
                select
                    *,
                    cast(
                        coalesce(
                            start_date - date '1970-01-01',
                            day_of_start,
                            {{ quotient(microseconds('service_start_at'), 86400000000) }}
                        ) as integer
                    ) as first_day
                from {{ ended }} as spans_ended
            ) as spans_begun
        ) as spans_bound
    ) as spans
    left join {{ days }} as days_with_time
        on
            spans.time_zone = days_with_time.time_zone
            and spans.day_number = days_with_time.day_number
    where
        days_with_time.day_number is not null
        or spans.day_of_end is null
        or spans.first_day = spans.last_day
    group by spans.{{ span | join(', spans.') }}
{%- endmacro %}
