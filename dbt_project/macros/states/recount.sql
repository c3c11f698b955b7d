{#- Names whose events resolve to something else than they did, and from when on: their
    slots from then on are gone, and their events are counted again. -#}
{% macro recount_statements(code, models, slots, statements) -%}
    {%- set code = sql_text(code) -%}
    {%- do statements.append(
'create or replace temp table state_changes as
select changes.*
from ' ~ models.int_calendar_changes ~ ' as changes
inner join ' ~ kept('marks') ~ ' as marks
    on changes.calendar_digest = marks.calendar_digest
where
    marks.metric_code = ' ~ code ~ "
    and getvariable('seen_batch') >= 0
    and coalesce(changes.metric_code = " ~ code ~ ', true)') -%}
    {%- do statements.append(
"set variable judged_file = (
    select min(file_id) from state_changes where kind = 'judged'
)") -%}
    {#- Not those that are new to the state: they come with their batch. -#}
    {%- do statements.append(
'create or replace temp table state_judged as
select events_given.customer_ref, events_given.subscription_ref, events_given.occurred_at
from ' ~ models.events ~ " as events_given
inner join state_changes
    on
        events_given.file_id = state_changes.file_id
        and events_given.line = state_changes.line
        and state_changes.kind = 'judged'
where
    events_given.file_id >= getvariable('judged_file')
    and events_given.batch_id <= getvariable('seen_batch')") -%}
    {%- do statements.append(
'create or replace temp table state_recounted as
with recursive affected as (' ~ _affected_slots(slots) ~ '),

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
    {%- do statements.append(
"set variable recounted_from = (select min(from_at) from state_recounted)") -%}
    {%- do statements.append(
'create or replace temp table state_slots_gone as
select slots.slot_id, slots.subscription_id, slots.invoice_id
from ' ~ slots ~ ' as slots
inner join state_recounted
    on ' ~ same_columns(['customer_ref', 'subscription_ref'], 'slots', 'state_recounted') ~ '
where slots.last_occurred_at >= state_recounted.from_at') -%}
{%- endmacro %}


{#- Events that a kept table does not include: of batches that it has not seen, and of
    names that are counted again. -#}
{% macro events_to_count(events) -%}
    {%- set names_sent = ['customer_ref', 'subscription_ref'] -%}
    (
        select events_new.*
        from {{ events }} as events_new
        anti join state_recounted
            on {{ same_columns(names_sent, 'events_new', 'state_recounted') }}
            and events_new.occurred_at >= state_recounted.from_at
        where events_new.batch_id > getvariable('seen_batch')
        union all
        select events_old.*
        from {{ events }} as events_old
        semi join state_recounted
            on {{ same_columns(names_sent, 'events_old', 'state_recounted') }}
            and events_old.occurred_at >= state_recounted.from_at
        where events_old.occurred_at >= getvariable('recounted_from')
    )
{%- endmacro %}


{#- Slots with an event about which the calendar says something else. -#}
{% macro _affected_slots(slots) -%}
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
    inner join state_changes as changes
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
