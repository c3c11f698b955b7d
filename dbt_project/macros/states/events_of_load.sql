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
            {{ _event_columns(metric, 'dimensions', _who()) | trim }},
            value,
            value_text,
            operation,
            rounded_by,
            unmetered_reason
        from {{ models['metric_' ~ metric.metric_code] }}
    )
{%- endmacro %}


{#- The same of the batches that are loaded. -#}
{% macro events_of_load(metric, names, models) -%}
    {%- if is_known_by_view(metric) -%}
    (
        select * from {{ events_of_view(metric, models) }} as events_of_view
        where batch_id > getvariable('load_after') and batch_id <= getvariable('load_to')
    )
    {%- else -%}
    (
        select
            events_numbered.* exclude (sender_number),
            {%- for name in _who().split(', ') %}
            run_senders.{{ name }} {{- ',' if not loop.last }}
            {%- endfor %}
        from {{ _events_valued(metric, names, 'sender_number') }} as events_numbered
        inner join run_senders using (sender_number)
    )
    {%- endif -%}
{%- endmacro %}


{#- The same with the numbers of `loaded_events` instead of names. -#}
{% macro events_numbered(metric, names, has_days) -%}
    {{ _events_valued(metric, names,
        'sender_number, offer_number, has_period, is_late, due_cut_at'
        ~ (', local_day' if has_days else '')) }}
{%- endmacro %}


{#- What a mapping adds to an event, and SQL of a metric's own, only its view knows. -#}
{% macro is_known_by_view(metric) -%}
    {{ 'true' if metric.is_joined | default(true) else '' }}
{%- endmacro %}


{% macro _events_valued(metric, names, who) -%}
    ({{ over_columns(
        valued_events(metric, 'run_events', [_event_columns(metric, 'properties', who) | trim]),
        names
    ) }})
{%- endmacro %}


{% macro _who() -%} source, customer_id, customer_ref, subscription_ref {%- endmacro %}


{% macro _event_columns(metric, properties, who) -%}
            batch_id,
            file_id,
            line,
            {{ who }},
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
    {%- if not is_known_by_view(metric) -%}
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
