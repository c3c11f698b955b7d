{#- Events as parts by slot and group, and by local day if these are `daily`; see
    `metric_parts`. -#}
{% macro delta_query(metric, events, models, daily=false) -%}
    {{ adapter.dispatch('delta_query')(metric, events, models, daily) }}
{%- endmacro %}


{% macro duckdb__delta_query(metric, events, models, daily) -%}
    {%- set slot = [] -%}
    {%- do slot_columns(slot) -%}
    {%- set resolved = '(' ~ _events_to_group(metric,
        '(' ~ resolved_events(metric.metric_code, events, models) ~ ')',
        'subscription_id is not null and version_reason is null') ~ ')' -%}
    {%- set dated = '(' ~ with_local_day(resolved, 'occurred_at', models.stg_calendar__local_days,
        'local_days.day_number as local_day') ~ ')' if daily else resolved -%}
select * from (
    {{ _parts_by_group(metric, dated, slot, models, daily) }}
) as parts_by_slot
{%- endmacro %}


{#- The same of loaded events, whose names and periods are numbers. -#}
{% macro delta_query_numbered(metric, events, models, daily=false) -%}
    {{ adapter.dispatch('delta_query_numbered')(metric, events, models, daily) }}
{%- endmacro %}


{% macro duckdb__delta_query_numbered(metric, events, models, daily) -%}
    {%- set slot, columns = [], [] -%}
    {%- do slot_columns(slot) -%}
    {%- set numbers = ['sender_number', 'offer_number', 'is_late', 'due_cut_at',
                       'unmetered_reason'] -%}
    {%- set grouped = '(' ~ _events_to_group(metric, events, 'has_period') ~ ')' -%}
    {%- set needs_period = metric.bucket is not none or metric.traits.needs_days
        or metric.traits.needs_span -%}
    {%- set events_placed = '(select * from ' ~ grouped
        ~ ' as events_grouped left join run_offers using (offer_number))'
        if needs_period else grouped -%}
    {%- set of_slot = {
        'is_covered': 'parts.offer_number is not null',
        'version_reason': 'cast(null as varchar)',
    } -%}
    {%- for name in ('source', 'customer_ref', 'subscription_ref', 'customer_id') -%}
        {%- do of_slot.update({name: 'run_senders.' ~ name}) -%}
    {%- endfor -%}
    {%- for name in ('subscription_id', 'invoice_id') -%}
        {%- do of_slot.update({name: 'run_offers.' ~ name}) -%}
    {%- endfor -%}
select
    {%- for name in slot %}
    {{ of_slot.get(name, 'parts.' ~ name) }} as {{ name }},
    {%- endfor %}
    parts.* exclude ({{ numbers | join(', ') }})
from (
    {{ _parts_by_group(metric, events_placed, numbers, models, daily) }}
) as parts
inner join run_senders
    on parts.sender_number = run_senders.sender_number
left join run_offers
    on parts.offer_number = run_offers.offer_number
{%- endmacro %}


{% macro _parts_by_group(metric, events, slot, models, daily) -%}
    {%- set groups, key = [], slot + [] -%}
    {%- for name in metric.group_by | sort -%}
        {%- do groups.append('group_' ~ loop.index) -%}
    {%- endfor -%}
    {%- do key.extend(groups) -%}
    {%- do key.append('local_day') if daily -%}
    {%- set place = place_number('file_id', 'line') -%}
    select
        * {{ 'exclude (' ~ groups | join(', ') ~ ')' if groups }},
        {{ group_key_of_columns(metric.group_by | sort, groups) }} as group_key
    from (
        {{ metric_parts(
            metric, events, key,
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
{% macro _events_to_group(metric, events, is_billable) -%}
    {%- set told_apart = [] -%}
    {%- for name in metric.traits.state_key if name in ('value', 'value_text') -%}
        {%- do told_apart.append(name) -%}
    {%- endfor -%}
    select
        * {{- ' exclude (' ~ told_apart | join(', ') ~ ')' if told_apart }}
        {%- for name in told_apart %},
        case
            when {{ is_billable }} and unmetered_reason is null then {{ name }}
        end as {{ name }}
        {%- endfor %}
    from {{ events }} as events_resolved
{%- endmacro %}
