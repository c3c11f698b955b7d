{#- Names whose events resolve to something else than they did, and from when on: their
    slots from then on are gone, and their events are counted again. -#}
{% macro recount_statements(keeper, models, statements) -%}
    {%- set number, code = keeper.number, sql_text(keeper.code) -%}
    {%- set slots = keeper.tables.slots if keeper.metric is not none
        else _counts_as_slots(keeper.tables.slots) -%}
    {%- do statements.append(
'create or replace temp table state_changes_' ~ number ~ ' as
select changes.*
from ' ~ models.int_calendar_changes ~ ' as changes
inner join ' ~ kept('marks') ~ ' as marks
    on changes.calendar_digest = marks.calendar_digest
where
    marks.metric_code = ' ~ code ~ "
    and getvariable('seen_" ~ number ~ "') >= 0
    and coalesce(changes.metric_code = " ~ code ~ ', true)') -%}
    {%- do statements.append(_judged_again(keeper, models)) -%}
    {%- do statements.append(
'create or replace temp table state_recounted_' ~ number ~ ' as
with recursive affected as (' ~ _affected_slots(slots, number) ~ '),

reached as (
    select customer_ref, subscription_ref, min(first_occurred_at) as from_at
    from affected
    group by customer_ref, subscription_ref
    union
    select slots.customer_ref, slots.subscription_ref, slots.first_occurred_at as from_at
    from reached
    inner join ' ~ slots ~ ' as slots
        on ' ~ same_columns(['customer_ref', 'subscription_ref'], 'reached', 'slots') ~ '
    where slots.last_occurred_at >= reached.from_at
    and slots.first_occurred_at < reached.from_at
)

select customer_ref, subscription_ref, min(from_at) as from_at
from reached
group by customer_ref, subscription_ref') -%}
    {%- do statements.append('set variable recounted_from_' ~ number
        ~ ' = (select min(from_at) from state_recounted_' ~ number ~ ')') -%}
    {%- do statements.append(
'create or replace temp table state_slots_gone as
select slots.slot_id, slots.subscription_id, slots.invoice_id
from ' ~ slots ~ ' as slots
inner join state_recounted_' ~ number ~ ' as recounted
    on ' ~ same_columns(['customer_ref', 'subscription_ref'], 'slots', 'recounted') ~ '
where slots.last_occurred_at >= recounted.from_at') -%}
    {%- do statements.append(
'insert into state_touched_' ~ number ~ '
select subscription_id, invoice_id from state_slots_gone') -%}
    {%- for kind in ('state', 'days', 'slots') if kind in keeper.tables -%}
        {%- do statements.append('delete from ' ~ keeper.tables[kind] ~ ' where '
            ~ ('slot_id' if keeper.metric is not none else 'rowid')
            ~ ' in (select slot_id from state_slots_gone)') -%}
    {%- endfor -%}
    {%- do statements.append(
'delete from ' ~ keeper.tables.unmetered ~ ' as unmetered
using state_recounted_' ~ number ~ ' as recounted
where ' ~ same_columns(['customer_ref', 'subscription_ref'], 'unmetered', 'recounted') ~ '
and unmetered.occurred_at >= recounted.from_at') if keeper.metric is not none -%}
{%- endmacro %}


{#- Events that a keeper does not include: of loaded batches that it has not seen, and of
    names that are counted again. -#}
{% macro events_to_count(keeper, loaded, all_events) -%}
    {%- set names_sent = ['customer_ref', 'subscription_ref'] -%}
    {%- set number = keeper.number -%}
    (
        select events_new.*
        from {{ loaded }} as events_new
        anti join state_recounted_{{ number }} as recounted
            on {{ same_columns(names_sent, 'events_new', 'recounted') }}
            and events_new.occurred_at >= recounted.from_at
        where events_new.batch_id > getvariable('seen_{{ number }}')
        union all by name
        select events_old.*
        from {{ all_events }} as events_old
        semi join state_recounted_{{ number }} as recounted
            on {{ same_columns(names_sent, 'events_old', 'recounted') }}
            and events_old.occurred_at >= recounted.from_at
        where events_old.occurred_at >= getvariable('recounted_from_{{ number }}')
    )
{%- endmacro %}


{#- Those of loaded batches which `loaded_events` resolves, and that are not counted again. -#}
{% macro numbered_events_to_count(keeper, loaded) -%}
    (
        select events_new.*
        from {{ loaded }} as events_new
        anti join state_apart using (file_id, line)
        anti join state_senders_recounted as recounted
            on events_new.sender_number = recounted.sender_number
            and events_new.occurred_at >= recounted.from_at
        where events_new.batch_id > getvariable('seen_{{ keeper.number }}')
    )
{%- endmacro %}
