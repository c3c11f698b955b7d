{#- Parts of the query of `metric_usage`. -#}

{% macro _same(names, one, other) -%}
    {%- for name in names -%}
    {{ ' and ' if not loop.first }}{{ one }}.{{ name }} = {{ other }}.{{ name }}
    {%- endfor -%}
{%- endmacro %}


{% macro _merged(names, columns, relation) -%}
    select
        {{ names | join(', ') }},
        cast(sum(event_count) as bigint) as event_count,
        min(first_occurred_at) as first_occurred_at,
        max(last_occurred_at) as last_occurred_at
        {{- ', ' ~ columns if columns | trim }}
    from {{ relation }}
    group by {{ names | join(', ') }}
{%- endmacro %}


{% macro _windowed(windows, relation) -%}
    {%- set query = namespace(text='select * from ' ~ relation) -%}
    {%- for columns in windows.split('---') if columns | trim -%}
        {%- set query.text = 'select *, ' ~ columns ~ ' from (' ~ query.text ~ ') as inner_rows' -%}
    {%- endfor -%}
    {{ query.text }}
{%- endmacro %}


{#- The state before each period, as a part of it. -#}
{% macro _carried_in(metric, parts, carried, keys, span, merge) -%}
    {%- set traits = metric.traits -%}
    {%- set columns = keys + ['slot', 'group_key'] + traits.state_key + traits.state -%}
    {%- set carry = aggregation_part(metric, 'carry')
        or (traits.carry_key + ([merge] if merge | trim else [])) | join(', ') -%}
    select
        {{ (keys + ['slot', 'group_key']) | join(', ') }},
        {{ carry }},
        cast(0 as bigint) as event_count,
        cast(null as timestamptz) as first_occurred_at,
        cast(null as timestamptz) as last_occurred_at,
        {{ span | join(', ') }}
    from (
        select
            spans_known.slot,
            earlier_parts.{{ (keys + ['group_key'] + traits.state_key + traits.state)
                | join(', earlier_parts.') }},
            spans_known.{{ span | join(', spans_known.') }}
        from (
            select {{ columns | join(', ') }} from {{ parts }}
            {%- if carried is not none %}
            union all
            select {{ columns | join(', ') }} from {{ carried }}
            {%- endif %}
        ) as earlier_parts
        inner join spans_known
            on
                {{ _same(keys, 'earlier_parts', 'spans_known') }}
                and earlier_parts.slot < spans_known.slot
    ) as earlier
    group by {{ (keys + ['slot', 'group_key'] + span + traits.carry_key) | join(', ') }}
{%- endmacro %}


{#- Events with the start of their period, where the aggregation needs it. -#}
{% macro _events_in_spans(metric, events, spans, keys) -%}
    {%- if metric.traits.needs_span -%}
    (
        select
            events_given.*,
            spans_given.span_start_at
        from {{ events }} as events_given
        left join {{ spans }} as spans_given
            on {{ _same(keys + ['slot'], 'events_given', 'spans_given') }}
    )
    {%- else -%}
    {{ events }}
    {%- endif -%}
{%- endmacro %}


{#- Events with their local day and their bucket, where the metric needs them. -#}
{% macro _events_placed(metric, events, days) -%}
    {%- set needs_days = metric.traits.needs_days or metric.bucket == 'day' -%}
    {%- set dated = '(' ~ with_local_day(events, 'occurred_at', days,
        'local_days.day_number, local_days.day_start_at, local_days.day_end_at') ~ ')'
        if needs_days else events -%}
    {%- if metric.bucket is none -%}
    select * from {{ dated }} as events_dated
    {%- else -%}
    {{ events_in_buckets(metric, dated) }}
    {%- endif -%}
{%- endmacro %}


{#- The first local day of each period, the day after its last, and the days of the
    full period. The day of a bound is that of the period which begins there. -#}
{% macro _spans_with_days(spans, days) -%}
    select
        *,
        full_end_day - full_first_day as full_days
    from (
        {%- set query = namespace(relation=spans) -%}
        {%- for instant, name in {
            'span_start_at': 'period_first_day', 'span_end_at': 'period_end_day',
            'full_start_at': 'full_first_day', 'full_end_at': 'full_end_day'
        }.items() -%}
            {%- set query.relation = '(' ~ with_local_day(query.relation, instant, days,
                'local_days.day_number as ' ~ name) ~ ')' -%}
        {%- endfor %}
        {{ query.relation[1:-1] }}
    ) as spans_dated
{%- endmacro %}
