{#- Usage that no bill counts, by the reason why. What nothing resolves is few rows, and
    worked out anew. -#}
{% macro _usage_left_out(metric, finest, names) -%}
    {%- set state = metric.traits.state if metric.traits.adds else [] -%}
select
    * {{- ' exclude (' ~ state | join(', ') ~ ')' if state }},
    {{ quantity_of_metric(metric) }} as quantity
from (
    select
        slots.subscription_id,
        slots.invoice_id,
        slots.customer_id,
        case
            when slots.customer_id is null
                then coalesce(slots.subscription_ref, slots.customer_ref)
        end as unattributed_ref,
        case when slots.subscription_id is null then slots.subscription_ref end
            as subscription_ref,
        slots.is_covered,
        slots.is_late,
        slots.due_cut_at,
        slots.version_reason,
        slots.unmetered_reason,
        {{ finest }} as grouping_key,
        states.group_key,
        {{ sums_of_metric(metric) }}
        cast(sum(states.event_count) as bigint) as event_count,
        min(states.first_occurred_at) as first_occurred_at,
        max(states.last_occurred_at) as last_occurred_at,
        min(states.first_place) as first_place,
        min(states.negative_place) as negative_place
    from {{ names.state }} as states
    inner join {{ names.slots }} as slots
        on states.slot_id = slots.slot_id
    where
        slots.subscription_id is null
        or (
            slots.invoice_id in (select invoice_id from state_touched)
            and (
                slots.is_late
                or slots.version_reason is not null
                or slots.unmetered_reason is not null
            )
        )
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
) as usage_left_out
{%- endmacro %}


{#- The columns of all parts of a metric whose quantities add up, and their sum. -#}
{% macro sums_of_metric(metric) -%}
    {%- set merge = aggregation_part(metric, 'merge') if metric.traits.adds else '' -%}
    {{ merge ~ ',' if merge | trim }}
{%- endmacro %}


{% macro quantity_of_metric(metric) -%}
    {%- if metric.traits.adds -%}
    {{ aggregation_part(metric, 'final') }}
    {%- else -%}
    cast(null as decimal(38, 18))
    {%- endif -%}
{%- endmacro %}
