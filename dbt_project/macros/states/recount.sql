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
{%- endmacro %}


{#- Events that are judged otherwise. Not those that are new to the state: they come with
    their batch. -#}
{% macro _judged_again(keeper, models) -%}
    {%- set number = keeper.number -%}
create or replace temp table state_judged as
{% if keeper.metric is none -%}
select
    cast(null as varchar) as customer_ref,
    cast(null as varchar) as subscription_ref,
    cast(null as timestamptz) as occurred_at
where false
{%- else -%}
select events_given.customer_ref, events_given.subscription_ref, events_given.occurred_at
from {{ models['metric_' ~ keeper.code] }} as events_given
inner join state_changes_{{ number }} as changes
    on
        events_given.file_id = changes.file_id
        and events_given.line = changes.line
        and changes.kind = 'judged'
where
    events_given.batch_id <= getvariable('seen_{{ number }}')
{%- endif %}
{%- endmacro %}


{#- Slots with an event about which the calendar says something else. -#}
{% macro _affected_slots(slots, number) -%}
    {%- set overlaps = "
        and slots.last_occurred_at >= coalesce(changes.from_at, " ~ distant_past() ~ ")
        and slots.first_occurred_at < coalesce(changes.to_at, " ~ distant_future() ~ ")" -%}
    {%- set conditions = {
        'name': 'slots.customer_ref = changes.name' ~ overlaps,
        'subscription': 'slots.subscription_ref = changes.reference',
        'source': 'slots.source = changes.name',
        'offer': "slots.customer_id = changes.name
        and coalesce(slots.subscription_ref, '') = changes.reference" ~ overlaps,
        'closing': "slots.customer_id = changes.name
        and coalesce(slots.subscription_ref, '') = changes.reference" ~ overlaps,
        'cut': 'slots.subscription_id = changes.reference and slots.is_late',
    } -%}
    {%- for kind, condition in conditions.items() %}
    select slots.customer_ref, slots.subscription_ref, slots.first_occurred_at
    from {{ slots }} as slots
    inner join state_changes_{{ number }} as changes
        on {{ condition }}
        and changes.kind = '{{ kind }}'
    union all
    {%- endfor %}
    select slots.customer_ref, slots.subscription_ref, slots.first_occurred_at
    from {{ slots }} as slots
    inner join state_judged
        on {{ same_columns(['customer_ref', 'subscription_ref'], 'slots', 'state_judged') }}
        and slots.first_occurred_at <= state_judged.occurred_at
        and slots.last_occurred_at >= state_judged.occurred_at
{%- endmacro %}
