{#- Events as parts by slot and group, and by local day if these are `daily`; see
    `metric_parts`. -#}
{% macro delta_query(metric, events, models, daily=false) -%}
    {{ adapter.dispatch('delta_query')(metric, events, models, daily) }}
{%- endmacro %}


{% macro duckdb__delta_query(metric, events, models, daily) -%}
    {%- set groups = [] -%}
    {%- for name in metric.group_by | sort -%}
        {%- do groups.append('group_' ~ loop.index) -%}
    {%- endfor -%}
    {%- set key = [] -%}
    {%- do slot_columns(key) -%}
    {%- do key.extend(groups) -%}
    {%- set resolved = '(' ~ _events_to_group(metric, events, models) ~ ')' -%}
    {%- if daily -%}
        {%- do key.append('local_day') -%}
        {%- set resolved = '(' ~ with_local_day(resolved, 'occurred_at',
            models.stg_calendar__local_days, 'local_days.day_number as local_day') ~ ')' -%}
    {%- endif -%}
    {%- set place = place_number('file_id', 'line') -%}
select
    * {{ 'exclude (' ~ groups | join(', ') ~ ')' if groups }},
    {{ group_key_of_columns(metric.group_by | sort, groups) }} as group_key
from (
    {{ metric_parts(
        metric, resolved, key,
        models.stg_calendar__local_days,
        [
            'min(' ~ place ~ ') as first_place',
            'min(case when value < 0 then ' ~ place ~ ' end) as negative_place'
        ] + ([
            'cast(count(rounded_by) as bigint) as rounded_count',
            'sum(rounded_by) as rounded_sum'
        ] if metric.round_values else [])
    ) }}
) as parts_by_group
{%- endmacro %}


{#- Events as they resolve. What no bill will count needs none of the columns that only
    tell values apart. -#}
{% macro _events_to_group(metric, events, models) -%}
    {%- set told_apart = [] -%}
    {%- for name in metric.traits.state_key if name in ('value', 'value_text') -%}
        {%- do told_apart.append(name) -%}
    {%- endfor -%}
    select
        * {{- ' exclude (' ~ told_apart | join(', ') ~ ')' if told_apart }}
        {%- for name in told_apart %},
        case
            when subscription_id is not null
                and version_reason is null
                and unmetered_reason is null
                then {{ name }}
        end as {{ name }}
        {%- endfor %}
    from (
        {{ resolved_events(metric.metric_code, events, models) }}
    ) as events_resolved
{%- endmacro %}
