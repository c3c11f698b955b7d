{#- A billable metric: one row per attributed event that it matches, with the event's
    value or the reason why it has none. `docs/metrics.md` has every option with an
    example; those that are left out here are options of `metric_definition`.

    metric_code  the name of the model without `metric_`; charges name it
    description  what it counts, for people
    event_name   events of this name, or of these, compared as sent
    aggregation  the name of a file of `macros/aggregations`
    unit         what one unit of the quantity is called, for people
    joins        {seed, key, valid_from, valid_to, properties}: a seed whose row for
                 the property `key`, at the event's time, adds properties -#}
{% macro billable_metric(
    metric_code, description, event_name, aggregation, unit, joins=none
) -%}
    {%- set metric = {} -%}
    {%- set options = dict(kwargs, event_name=event_name, aggregation=aggregation) -%}
    {%- do metric_definition(options, metric) -%}
    {%- for fault in metric.faults -%}
        {{ exceptions.raise_compiler_error(
            'metric ' ~ metric_code ~ ': ' ~ fault.option ~ ': ' ~ fault.reason
            ~ ('; write value' if fault.option == 'property' else '')
        ) }}
    {%- endfor -%}
    {%- set meta = dict(
        metric, metric_code=metric_code, description=description, unit=unit,
        is_joined=joins is not none
    ) -%}
    {%- do meta.pop('faults') -%}
    {{- config(meta=meta) -}}
with

int_events_attributed as (

    select * from {{ ref('int_events_attributed') }}

),

events_with_properties as (

    {{ with_joined_properties(
        'int_events_attributed', joins, ref(joins.seed) if joins is not none
    ) if joins is not none else 'select * from int_events_attributed' }}

)

{{ valued_events(metric, 'events_with_properties', [
    sql_text(metric_code) ~ ' as metric_code',
    sql_text(aggregation) ~ ' as aggregation',
    'batch_id', 'file_id', 'line', 'source', 'customer_id', 'customer_ref', 'subscription_ref',
    'occurred_at', 'received_at', 'properties as dimensions'
]) }}
{%- endmacro %}


{#- The events with properties that a dated mapping adds, by the property `key` and the
    time of the event. A property of the event itself is kept. -#}
{% macro with_joined_properties(events, joins, mapping) -%}
    {{ adapter.dispatch('with_joined_properties')(events, joins, mapping) }}
{%- endmacro %}

{% macro duckdb__with_joined_properties(events, joins, mapping) -%}
    {%- set from_at, to_at = joins.get('valid_from', 'valid_from'),
        joins.get('valid_to', 'valid_to') -%}
    select
        events.* replace (
            map_concat(
                map_from_entries(
                    list_filter(
                        [
                            {%- for name in joins.properties %}
                            row({{ sql_text(name) }}, cast(mapping."{{ name }}" as varchar))
                            {{- ',' if not loop.last }}
                            {%- endfor %}
                        ],
                        lambda entry: entry[2] is not null
                    )
                ),
                events.properties
            ) as properties
        )
    from {{ events }} as events
    left join {{ mapping }} as mapping
        on
            events.properties[{{ sql_text(joins.key) }}]
            = cast(mapping."{{ joins.get('column', joins.key) }}" as varchar)
            and events.occurred_at
            >= coalesce(cast(mapping.{{ from_at }} as timestamptz), {{ distant_past() }})
            and events.occurred_at
            < coalesce(cast(mapping.{{ to_at }} as timestamptz), {{ distant_future() }})
{%- endmacro %}
