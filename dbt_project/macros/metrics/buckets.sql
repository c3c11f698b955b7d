{#- Events by bucket, and the buckets without events; see `usage_of_buckets`. -#}

{#- The width of a metric's buckets in microseconds; 0 for local days. -#}
{% macro bucket_width(metric) -%}
    {%- set minutes = bucket_minutes(metric.bucket) | trim -%}
    {{ 0 if minutes == 'day' else (minutes | int) * 60000000 }}
{%- endmacro %}


{#- Events with their bucket. Wide buckets begin at the UTC hour or day, those of a day
    at the local midnight, which the events know already. The first one of a period
    begins with the period. -#}
{% macro events_in_buckets(metric, events) -%}
    {{ adapter.dispatch('events_in_buckets')(metric, events) }}
{%- endmacro %}


{% macro duckdb__events_in_buckets(metric, events) -%}
    {%- set width = (bucket_width(metric) | trim | int) or none -%}
    select
        *
        {%- if metric.traits.needs_span %} replace (
            greatest(span_start_at, bucket_start_at) as span_start_at
        )
        {%- endif %}
    from (
        select
            *,
            {%- if width is none %}
            cast(day_number as bigint) as bucket_number,
            day_start_at as bucket_start_at,
            day_end_at as bucket_end_at
            {%- else %}
            {{ instant_of('bucket_number * ' ~ width) }} as bucket_start_at,
            {{ instant_of('(bucket_number + 1) * ' ~ width) }} as bucket_end_at
            {%- endif %}
        from (
            select
                *
                {%- if width is not none %},
                {{ _bucket_number('occurred_at', width) }} as bucket_number
                {%- endif %}
            from {{ events }} as events_given
        ) as events_numbered
    ) as events_bucketed
{%- endmacro %}


{% macro _bucket_number(instant, width) -%}
    {{ quotient(
        '(' ~ microseconds(instant) ~ ' - ' ~ _rest_down(microseconds(instant), width) ~ ')',
        width
    ) }}
{%- endmacro %}


{#- One row per group whose buckets are not all used: 0, as often as one is empty. -#}
{% macro _empty_buckets(spans, keys, days, width) -%}
    {%- set inner_keys = (keys + ['outer_slot', 'outer_group_key']) | join(', ') -%}
    select
        {{ keys | join(', ') }},
        slot,
        group_key,
        null as bucket_number,
        cast(0 as decimal(38, 18)) as quantity,
        cast(0 as bigint) as event_count,
        cast(null as timestamptz) as first_occurred_at,
        cast(null as timestamptz) as last_occurred_at,
        bucket_count - used_count as weight
    from (
        select
            used.*,
            {%- if width is none %}
            spans_counted.last_day - spans_counted.first_day + 1 as bucket_count
            {%- else %}
            {{ _bucket_number('spans_counted.last_at', width) }}
            - {{ _bucket_number('spans_counted.span_start_at', width) }} + 1 as bucket_count
            {%- endif %}
        from (
            select
                {{ keys | join(', ') }},
                outer_slot as slot,
                outer_group_key as group_key,
                count(distinct slot) as used_count
            from usage_of_buckets
            group by {{ inner_keys }}
        ) as used
        inner join (
            {%- set last = '(select *, ' ~ instant_of(microseconds('span_end_at') ~ ' - 1')
                ~ ' as last_at from ' ~ spans ~ ')' %}
            {%- if width is none %}
            {#- A day that a zone skipped has no bucket, so days are counted anew. #}
            {%- set counted = '(select *, row_number() over (partition by time_zone '
                ~ 'order by day_start_at) as day_index from ' ~ days ~ ')' %}
            {{ with_local_day(
                '(' ~ with_local_day(last, 'span_start_at', counted,
                    'local_days.day_index as first_day') ~ ')',
                'last_at', counted, 'local_days.day_index as last_day') }}
            {%- else %}
            select * from {{ last }} as spans_ended
            {%- endif %}
        ) as spans_counted
            on {{ _same(keys + ['slot'], 'used', 'spans_counted') }}
    ) as counted
    where bucket_count > used_count
{%- endmacro %}


{#- A row as often as a number says; gives the number of the repetition. -#}
{% macro repeated(times) -%}
    {{ adapter.dispatch('repeated')(times) }}
{%- endmacro %}

{% macro duckdb__repeated(times) -%} unnest(range({{ times }})) {%- endmacro %}
