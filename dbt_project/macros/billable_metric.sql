{#- A billable metric: one row per attributed event that it matches, with the
    event's quantity or the reason why it has none.

    metric_code     the name of the model without `metric_`; charges name it
    description     what it counts, for people
    event_name      events of this name, compared as sent
    aggregation     'count' (each event is 1) or 'sum' (of the property)
    unit            what one unit of the quantity is called, for people
    property        whose number is summed; its text is read exactly
    filters         {property: [texts]}: the event has one of the texts for each
    group_by        properties that charges may group by
    fraction_digits most digits after the point (at most 18); an event with more
                    has no quantity
-#}
{% macro billable_metric(
    metric_code,
    description,
    event_name,
    aggregation,
    unit,
    property=none,
    filters={},
    group_by=[],
    fraction_digits=18
) -%}
    {%- set is_sum = property is not none -%}
    {%- if aggregation != ('sum' if is_sum else 'count') -%}
        {{ exceptions.raise_compiler_error(
            'expected aggregation count, or sum with a property; found '
            ~ aggregation ~ ' with property ' ~ property
        ) }}
    {%- endif -%}
    {{- config(meta={
        'metric_code': metric_code,
        'description': description,
        'event_name': event_name,
        'aggregation': aggregation,
        'unit': unit,
        'property': property,
        'filters': filters,
        'group_by': group_by,
        'fraction_digits': fraction_digits,
    }) -}}
with

int_events_attributed as (

    select * from {{ ref('int_events_attributed') }}

),

matched_events as (

    select * from int_events_attributed
    where
        event_name = {{ sql_text(event_name) }}
        {%- for name, texts in filters.items() %}
        and properties[{{ sql_text(name) }}] in (
            {%- for text in texts -%}
            {{ sql_text(text) }}{{ ', ' if not loop.last }}
            {%- endfor -%}
        )
        {%- endfor %}

),

measured_events as (

    select
        *,
        {%- if is_sum %}
        {{ exact_decimal(
            'properties[' ~ sql_text(property) ~ ']',
            fraction_digits=fraction_digits
        ) }} as quantity
        {%- else %}
        cast(1 as decimal(38, 18)) as quantity
        {%- endif %}
    from matched_events

)

select
    {{ sql_text(metric_code) }} as metric_code,
    batch_id,
    file_id,
    line,
    customer_id,
    customer_ref,
    subscription_ref,
    occurred_at,
    received_at,
    properties as dimensions,
    quantity,
    {%- if is_sum %}
    case
        when quantity is null
            then {{ inexact_reason('properties[' ~ sql_text(property) ~ ']') }}
    end as unmetered_reason
    {%- else %}
    cast(null as varchar) as unmetered_reason
    {%- endif %}
from measured_events
{%- endmacro %}
