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
        {{- ', ' ~ columns if columns }}
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


{#- Events with the start of their period and their local day, where the aggregation
    needs them. -#}
{% macro _events_placed(metric, events, keys, days) -%}
    {%- if metric.traits.needs_span -%}
    select
        events_given.*,
        spans_known.span_start_at
    from {{ events }} as events_given
    left join spans_known
        on {{ _same(keys + ['slot'], 'events_given', 'spans_known') }}
    {%- elif metric.traits.needs_days -%}
    {{ with_local_day(events, 'occurred_at', days,
        'local_days.day_number, local_days.day_start_at') }}
    {%- else -%}
    select * from {{ events }}
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
