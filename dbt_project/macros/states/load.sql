{#- The events of some batches, with the properties that any metric looks at as columns:
    they are read once for all metrics. `names` are those of `properties_of`, of all. -#}
{% macro loaded_events(names, models) -%}
create or replace temp table run_events as
select
    batch_id,
    file_id,
    line,
    source,
    event_name,
    customer_id,
    customer_ref,
    subscription_ref,
    occurred_at,
    received_at
    {%- for name in names %},
    properties[{{ sql_text(name) }}] as property_{{ loop.index }}
    {%- endfor %}
from {{ models.int_events_attributed }}
where batch_id > getvariable('load_after') and batch_id <= getvariable('load_to')
{%- endmacro %}


{#- SQL over an event's properties, as SQL over the columns of `loaded_events`. A text in
    SQL has its quotes doubled, so that it never looks like a property. -#}
{% macro over_columns(sql, names) -%}
    {%- set query = namespace(text=sql) -%}
    {%- for name in names -%}
        {%- set query.text = query.text.replace(
            'properties[' ~ sql_text(name) ~ ']', 'property_' ~ loop.index) -%}
    {%- endfor -%}
    {{ query.text }}
{%- endmacro %}


{#- The events of a metric, with the columns of their group, from its view. -#}
{% macro events_of_view(metric, models) -%}
    (
        select
            {{ _event_columns(metric, 'dimensions') | trim }},
            value,
            value_text,
            operation,
            rounded_by,
            unmetered_reason
        from {{ models['metric_' ~ metric.metric_code] }}
    )
{%- endmacro %}


{#- The same of the batches that are loaded. What a mapping adds to an event, and SQL of a
    metric's own, only its view knows. -#}
{% macro events_of_load(metric, names, models) -%}
    {%- if metric.is_joined | default(true) -%}
    (
        select * from {{ events_of_view(metric, models) }} as events_of_view
        where batch_id > getvariable('load_after') and batch_id <= getvariable('load_to')
    )
    {%- else -%}
    (
        {{ over_columns(
            valued_events(metric, 'run_events', [_event_columns(metric, 'properties') | trim]),
            names
        ) }}
    )
    {%- endif -%}
{%- endmacro %}


{% macro _event_columns(metric, properties) -%}
            batch_id,
            file_id,
            line,
            source,
            customer_id,
            customer_ref,
            subscription_ref,
            occurred_at,
            received_at
            {%- for name in metric.group_by | sort %},
            {{ flat_property(name, properties) }} as group_{{ loop.index }}
            {%- endfor %}
            {%- if metric.bucket is not none %},
            {{ properties_listed(metric.bucket_by, properties) }} as bucket_parts
            {%- endif %}
{%- endmacro %}


{#- `names` gets every property that a metric looks at by itself, in order. -#}
{% macro properties_of(metric, names) -%}
    {%- set found = {} -%}
    {%- if not metric.is_joined | default(true) -%}
        {%- set program = {'layers': {}, 'result': none, 'nodes': []} -%}
        {%- do read_expression(metric.value, program) if metric.value is not none -%}
        {%- for node in program.nodes if node.kind == 'property' -%}
            {%- do found.update({node.text: true}) -%}
        {%- endfor -%}
        {%- for entry in [metric.filters] + metric.exclude -%}
            {%- do found.update(entry) -%}
        {%- endfor -%}
        {%- for name in metric.group_by + metric.bucket_by -%}
            {%- do found.update({name: true}) -%}
        {%- endfor -%}
        {%- do found.update({metric.operation: true}) if metric.operation is not none -%}
    {%- endif -%}
    {%- do names.extend(found | sort) -%}
{%- endmacro %}
