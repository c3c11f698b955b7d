{#- How many events there are of each name as sent, brought up to the run. -#}
{% macro count_statements(keeper, models, statements) -%}
    {%- set counts = keeper.tables.slots -%}
    {%- set key = ['source', 'event_name', 'customer_ref', 'subscription_ref',
                   'customer_id', 'is_metered'] -%}
    {%- set columns = ['batch_id', 'file_id', 'line', 'received_at', 'occurred_at'] + key -%}
    {%- do statements.append(
'create or replace temp table state_counts as
select
    ' ~ key | join(', ') ~ ',
    count(*) as event_count,
    min(received_at) as first_received_at,
    min(occurred_at) as first_occurred_at,
    max(occurred_at) as last_occurred_at,
    min(' ~ place_number('file_id', 'line') ~ ') as first_place
from ' ~ events_to_count(
    keeper,
    '(select ' ~ columns | join(', ') ~ ' from (select *, ' ~ over_columns(
        _is_metered(keeper.metrics, models), keeper.names
    ) ~ ' as is_metered from run_events inner join run_senders using (sender_number))'
    ~ ' as events_loaded)',
    '(select ' ~ columns | join(', ') ~ ' from (select *, '
    ~ _is_metered(keeper.metrics, models) ~ ' as is_metered from '
    ~ models.int_events_attributed ~ ') as events_metered)'
) ~ ' as events_with_metering
group by ' ~ key | join(', ')) -%}
    {%- do take_out(counts, 'state_counts', key, statements) -%}
    {%- do statements.append(
'insert into ' ~ counts ~ ' by name
select
    ' ~ key | join(', ') ~ ',
    cast(sum(event_count) as bigint) as event_count,
    min(first_received_at) as first_received_at,
    min(first_occurred_at) as first_occurred_at,
    max(last_occurred_at) as last_occurred_at,
    min(first_place) as first_place
from (
    select * from state_counts
    union all by name
    select * exclude (state_row) from state_merged
) as counts_to_merge
group by ' ~ key | join(', ')) -%}
{%- endmacro %}


{#- Counts with the columns of slots, as `recount_statements` reads them. -#}
{% macro _counts_as_slots(counts) -%}
    (
        select
            *,
            rowid as slot_id,
            cast(null as varchar) as subscription_id,
            cast(null as varchar) as invoice_id,
            false as is_late,
            cast(null as timestamptz) as due_cut_at
        from {{ counts }}
    )
{%- endmacro %}


{#- Whether any metric matches an event. What a mapping adds to it, and SQL of a metric's
    own, only the view of the metric knows. -#}
{% macro _is_metered(metrics, models) -%}
    {%- set conditions = [] -%}
    {%- for metric in metrics -%}
        {%- if metric.is_joined | default(true) -%}
            {%- do conditions.append('(file_id, line) in (select (file_id, line) from '
                ~ models['metric_' ~ metric.metric_code] ~ ')') -%}
        {%- else -%}
            {%- do conditions.append('coalesce(' ~ match_condition(metric) ~ ', false)') -%}
        {%- endif -%}
    {%- endfor -%}
    ({{ (conditions or ['false']) | join(' or ') }})
{%- endmacro %}
