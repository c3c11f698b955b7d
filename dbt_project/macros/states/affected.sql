{#- Slots with an event about which the calendar says something else. Late usage that no
    cut was left for has one when its subscription goes on. -#}
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
        'period': 'slots.subscription_id = changes.reference
        and slots.is_late and slots.due_cut_at is null',
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
