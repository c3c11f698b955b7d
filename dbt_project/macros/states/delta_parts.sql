{#- Most events resolve as `loaded_events` says. The others are resolved one by one: those
    that something else than their time decides about, those of customers where periods
    depend on the metric, and those that are counted again. -#}
{% macro parts_statements(keeper, models, statements) -%}
    {%- set metric, is_daily = keeper.metric, keeper.metric.traits.daily -%}
    {%- set parts, key = 'state_days' if is_daily else 'state_delta', [] -%}
    {%- set loaded = events_of_load(metric, keeper.names, models) -%}
    {%- if is_known_by_view(metric) -%}
        {%- do statements.append('create or replace temp table ' ~ parts ~ ' as ' ~ delta_query(
            metric, events_by_name(keeper, loaded, models), models, is_daily)) -%}
    {%- else -%}
        {%- do statements.append(_events_apart(keeper, models)) -%}
        {%- do statements.append(_senders_recounted(keeper)) -%}
        {%- do statements.append('create or replace temp table ' ~ parts ~ ' as '
            ~ delta_query_numbered(metric, numbered_events_to_count(
                keeper, events_numbered(metric, keeper.names, is_daily)), models, is_daily)) -%}
        {%- set loaded_apart = '(select * from ' ~ loaded
            ~ ' as events_loaded semi join state_apart using (file_id, line))' -%}
        {%- do statements.append('create or replace temp table state_parts as ' ~ delta_query(
            metric, events_by_name(keeper, loaded_apart, models), models, is_daily)) -%}
        {%- do slot_columns(key) -%}
        {%- do key.append('group_key') -%}
        {%- do key.append('local_day') if is_daily -%}
        {%- do part_key(metric, key) -%}
        {%- do merge_parts(metric, parts, key, statements) -%}
    {%- endif -%}
{%- endmacro %}


{#- A table of its own, so that it is seen how small it is. -#}
{% macro _senders_recounted(keeper) -%}
create or replace temp table state_senders_recounted as
select run_senders.sender_number, recounted.from_at
from run_senders
inner join state_recounted_{{ keeper.number }} as recounted
    on {{ same_columns(['customer_ref', 'subscription_ref'], 'run_senders', 'recounted') }}
{%- endmacro %}


{#- Events that a keeper does not include, with the names that they were sent by. -#}
{% macro events_by_name(keeper, loaded, models) -%}
    {{ events_to_count(keeper, loaded, events_of_view(keeper.metric, models)) }}
{%- endmacro %}


{% macro _events_apart(keeper, models) -%}
    {%- set code = sql_text(keeper.code) -%}
create or replace temp table state_apart as
select file_id, line
from {{ models.int_events_judged }}
where metric_code = {{ code }}
union all
select file_id, line
from run_events
where sender_number in (
    select run_senders.sender_number
    from run_senders
    inner join {{ models.int_periods_offered }} as offers
        on
            run_senders.customer_id = offers.customer_id
            and coalesce(run_senders.subscription_ref, '') = offers.subscription_ref
    where offers.metric_code = {{ code }}
)
{%- endmacro %}
