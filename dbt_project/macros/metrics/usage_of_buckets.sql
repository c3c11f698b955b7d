{#- A metric by buckets: the inner aggregation of each bucket, and of each value of
    `bucket_by` in it, then `combine` over them. The arguments are those of
    `metric_usage`. -#}
{% macro usage_of_buckets(metric, events, spans, keys, days) -%}
    {%- set minutes = bucket_minutes(metric.bucket) | trim -%}
    {%- set width = none if minutes == 'day' else (minutes | int) * 60000000 -%}
    {%- set inner_keys = keys + ['outer_slot', 'outer_group_key'] -%}
    {%- set combine_key = keys + ['slot', 'group_key', 'row_name'] -%}
    with

    events_in_buckets as (
        {{ _events_in_buckets(metric, events, keys, days, width) }}
    ),

    buckets as (
        select distinct
            events_in_buckets.{{ inner_keys | join(', events_in_buckets.') }},
            events_in_buckets.slot,
            spans_given.row_name,
            greatest(bucket_start_at, spans_given.span_start_at) as span_start_at,
            least(bucket_end_at, spans_given.span_end_at) as span_end_at,
            bucket_start_at as full_start_at,
            bucket_end_at as full_end_at
        from events_in_buckets
        inner join {{ spans }} as spans_given
            on
                events_in_buckets.outer_slot = spans_given.slot
                {%- for name in keys %}
                and events_in_buckets.{{ name }} = spans_given.{{ name }}
                {%- endfor %}
    ),

    usage_of_parts as (
        {{ _usage_of_events(metric, 'events_in_buckets', 'buckets', inner_keys, days) }}
    ),

    bucket_values as (
        select
            {{ keys | join(', ') }},
            outer_slot as slot,
            outer_group_key as group_key,
            slot as bucket_number,
            quantity,
            event_count,
            first_occurred_at,
            last_occurred_at,
            1 as weight
        from usage_of_parts
        {%- if metric.empty_buckets == 'zero' %}
        union all
        {{ _empty_buckets(spans, keys, days, width) }}
        {%- endif %}
    ),

    values_named as (
        select
            bucket_values.*,
            spans_given.row_name
        from bucket_values
        inner join {{ spans }} as spans_given
            on {{ _same(keys + ['slot'], 'bucket_values', 'spans_given') }}
    ),

    values_ranked as (
        select
            *
            {%- if metric.combine == 'percentile' %},
            {{ running_counts('quantity', 'weight', (keys + ['slot', 'group_key']) | join(', ')) }}
            {%- endif %}
        from values_named
    ),

    values_combined as (
        select
            {{ combine_key | join(', ') }},
            cast(sum(event_count) as bigint) as event_count,
            min(first_occurred_at) as first_occurred_at,
            max(last_occurred_at) as last_occurred_at,
            sum(weight) as weight,
            {% if metric.combine == 'percentile' -%}
            {{ value_at_rank('quantity', metric.percentile) }} as value_combined
            {%- elif metric.combine == 'average' -%}
            sum({{ whole('quantity') }}) as sum_whole,
            sum({{ fraction_units('quantity', 18) }}) as sum_units
            {%- else -%}
            {{ metric.combine }}(quantity) as value_combined
            {%- endif %}
        from values_ranked
        group by {{ combine_key | join(', ') }}
    )

    select
        {{ combine_key | join(', ') }},
        {% if metric.combine == 'average' -%}
        {{ div_exact('sum_whole', 'sum_units', 'weight') }}
        {%- else -%}
        {{ within_quantity('value_combined') }}
        {%- endif %} as quantity,
        event_count,
        first_occurred_at,
        last_occurred_at
    from values_combined
{%- endmacro %}


{#- Events by bucket: `slot` numbers it, the group is what `bucket_by` says. Wide
    buckets begin at the UTC hour or day, those of a day at the local midnight. -#}
{% macro _events_in_buckets(metric, events, keys, days, width) -%}
    select
        {{ keys | join(', ') }},
        slot as outer_slot,
        group_key as outer_group_key,
        {%- if width is none %}
        cast(day_number as bigint) as slot,
        day_start_at as bucket_start_at,
        day_end_at as bucket_end_at,
        {%- else %}
        bucket_number as slot,
        {{ instant_of('bucket_number * ' ~ width) }} as bucket_start_at,
        {{ instant_of('(bucket_number + 1) * ' ~ width) }} as bucket_end_at,
        {%- endif %}
        {{ 'bucket_parts' if metric.bucket_by else list_of([]) }} as group_key,
        occurred_at,
        file_id,
        line,
        value,
        value_text,
        operation
    from (
        {%- if width is none %}
        {{ with_local_day(events, 'occurred_at', days,
            'local_days.day_number, local_days.day_start_at, local_days.day_end_at') }}
        {%- else %}
        select
            *,
            {{ _bucket_number('occurred_at', width) }} as bucket_number
        from {{ events }}
        {%- endif %}
    ) as events_with_bucket
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
            from usage_of_parts
            group by {{ inner_keys }}
        ) as used
        inner join (
            {%- set last = '(select *, ' ~ instant_of(microseconds('span_end_at') ~ ' - 1')
                ~ ' as last_at from ' ~ spans ~ ')' %}
            {%- if width is none %}
            {{ with_local_day(
                '(' ~ with_local_day(last, 'span_start_at', days,
                    'local_days.day_number as first_day') ~ ')',
                'last_at', days, 'local_days.day_number as last_day') }}
            {%- else %}
            select * from {{ last }} as spans_ended
            {%- endif %}
        ) as spans_counted
            on {{ _same(keys + ['slot'], 'used', 'spans_counted') }}
    ) as counted
    where bucket_count > used_count
{%- endmacro %}
