{#- The quantities of the periods that were touched, and what is on no bill. -#}
{% macro usage_statements(keeper, models, statements) -%}
    {%- set metric, names, number = keeper.metric, keeper.tables, keeper.number -%}
    {%- set code = sql_text(keeper.code) -%}
    {%- set names_kept = sql_text_list(metric.group_by | sort) -%}
    {%- set finest = grouping_key(names_kept) -%}
    {%- do statements.append(
'create or replace temp table state_touched as
with touched as (
    select * from state_touched_' ~ number ~ '
    union distinct
    select reference as subscription_id, name as invoice_id
    from state_changes_' ~ number ~ '
    where kind in ' ~ "('period', 'grouping')" ~ '
)
' ~ ('
select distinct periods.subscription_id, periods.invoice_id
from touched
inner join ' ~ models.int_periods_united ~ ' as touched_periods
    on touched.invoice_id = touched_periods.invoice_id
inner join ' ~ models.int_periods_united ~ ' as periods
    on
        touched_periods.subscription_id = periods.subscription_id
        and periods.period_index >= touched_periods.period_index
union distinct
select * from touched' if metric.recurring else 'select * from touched')) -%}
    {%- do statements.append(
'delete from ' ~ names.usage ~ '
where
    subscription_id is null
    or invoice_id in (select invoice_id from state_touched)') -%}
    {%- do statements.append(
'create or replace temp table state_spans as
with asked as (
    select
        subscription_id,
        invoice_id,
        ' ~ finest ~ ' as grouping_key,
        ' ~ names_kept ~ ' as group_by,
        cast(null as varchar) as missing_dimension,
        [] as conditions
    from state_touched
    where invoice_id is not null
    union distinct
    select
        state_touched.subscription_id,
        state_touched.invoice_id,
        groupings.grouping_key,
        groupings.group_by,
        groupings.missing_dimension,
        groupings.conditions
    from state_touched
    inner join ' ~ models.int_groupings_asked ~ ' as groupings
        on
            state_touched.invoice_id = groupings.invoice_id
            and groupings.metric_code = ' ~ code ~ '
)

select
    asked.*,
    periods.period_index as slot,
    periods.period_start_at as span_start_at,
    periods.period_end_at as span_end_at,
    periods.full_start_at,
    periods.full_end_at,
    periods.time_zone
from asked
inner join ' ~ models.int_periods_united ~ ' as periods
    on asked.invoice_id = periods.invoice_id') -%}
    {%- do statements.append(
'insert into ' ~ names.usage ~ ' by name ' ~ _usage_counted(metric, models, names)) -%}
    {%- do statements.append(
'insert into ' ~ names.usage ~ ' by name ' ~ _usage_left_out(metric, finest, names)) -%}
{%- endmacro %}
