{#- A billable metric: one row per attributed event that it matches, with the
    event's quantity or the reason why it has none.

    metric_code     the name of the model without `metric_`; charges name it
    description     what it counts, for people
    event_name      events of this name, compared as sent
    aggregation     the name of a file of `macros/aggregations`
    unit            what one unit of the quantity is called, for people
    property        whose text the aggregation reads, if it reads one
    filters         {property: [texts]}: the event has one of the texts for each;
                    an array or object is no such text
    group_by        properties that charges may group by; an event with an array
                    or object in one is not billed by such a charge
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
    {%- for texts in filters.values() -%}
        {%- for text in texts if fromjson(text | string, none) is sequence
            and fromjson(text | string, none) is not string -%}
            {{ exceptions.raise_compiler_error(
                'metric ' ~ metric_code ~ ': expected texts in filters, found the '
                ~ 'array or object ' ~ text ~ '; name a part of it by SQL of its own'
            ) }}
        {%- endfor -%}
    {%- endfor -%}
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
        {{ event_quantity(aggregation, property, fraction_digits) }} as quantity
    from matched_events

)

select
    {{ sql_text(metric_code) }} as metric_code,
    {{ sql_text(aggregation) }} as aggregation,
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
    case
        when quantity is null
            then {{ unmetered_reason(aggregation, property) }}
    end as unmetered_reason
from measured_events
{%- endmacro %}
