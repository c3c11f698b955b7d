{#- The events that a metric matches, each with its value or the reason why it has
    none. Columns: those asked for, and
      value            decimal(38, 18); null for a distinct count
      value_text       what a distinct count counts
      operation        add or remove, where the metric has one
      rounded_by       what was sent less value, at 18 digits, where it was rounded
      unmetered_reason null where there is a value

    metric   a definition, as `metric_definition` leaves it
    events   relation with event_name, properties and `columns`
    columns  names that are passed on -#}
{% macro valued_events(metric, events, columns) -%}
    {%- set is_text = metric.value_kind == 'text' -%}
    {%- set program = {'layers': {}, 'result': none} -%}
    {%- if metric.value is not none -%}
        {%- do read_expression(metric.value, program) -%}
        {%- if program.nodes[program.root].kind == 'property' and not is_text -%}
            {%- do plan_number(metric, program.nodes[program.root].text, program) -%}
        {%- else -%}
            {%- do plan_expression(program, metric.value_kind) -%}
            {%- do program.layers.setdefault(program.layers | length, []).append(
                _unit_columns(metric, program.result)
            ) if not is_text -%}
        {%- endif -%}
    {%- endif -%}
    {%- set result = '_' ~ program.result -%}
    select
        {{ columns | join(',\n        ') }},
        {%- if metric.value is none %}
        cast(1 as decimal(38, 18)) as value,
        cast(null as varchar) as value_text,
        {%- elif is_text %}
        cast(null as decimal(38, 18)) as value,
        {{ result }}_t as value_text,
        {%- elif program.result == 'number' %}
        {{ number_value(metric) }} as value,
        cast(null as varchar) as value_text,
        {%- else %}
        {{ _program_value(program.result) }} as value,
        cast(null as varchar) as value_text,
        {%- endif %}
        {{ _operation(metric) }} as operation,
        {%- if metric.value is none or is_text or not metric.round_values %}
        cast(null as decimal(38, 18)) as rounded_by,
        {%- elif program.result == 'number' %}
        {{ number_rounded_by(metric) }} as rounded_by,
        {%- else %}
        {{ _program_rounded_by(metric, program.result) }} as rounded_by,
        {%- endif %}
        case
            {%- if metric.operation is not none %}
            when {{ _operation(metric) }} not in ('add', 'remove')
                then 'unknown_operation'
            {%- endif %}
            when true then
                {%- if metric.value is none %} cast(null as varchar)
                {%- elif is_text %} {{ result }}_r
                {%- elif program.result == 'number' %} {{ number_reason(metric) }}
                {%- else %} {{ _program_reason(metric, program.result) }}
                {%- endif %}
        end as unmetered_reason
    from (
        {{ _worked_out(program.layers, _matched_events(metric, events)) }}
    ) as matched_events
{%- endmacro %}


{% macro _matched_events(metric, events) -%}
    select * from {{ events }}
    where {{ match_condition(metric) }}
{%- endmacro %}


{#- Whether a metric matches an event, by its event_name and properties. -#}
{% macro match_condition(metric) -%}
    {%- set names = metric.event_name -%}
    {%- set conditions = [] -%}
    {%- do conditions.append('event_name in (' ~ _sql_texts(names) ~ ')')
        if names is not none -%}
    {%- do conditions.append(filter_conditions(metric.filters)) if metric.filters -%}
    {%- for entry in metric.exclude if entry -%}
        {%- do conditions.append(
            'not coalesce(' ~ filter_conditions(entry) ~ ', false)'
        ) -%}
    {%- endfor -%}
    {{ (conditions or ['true']) | join(' and ') }}
{%- endmacro %}


{#- The layers of a program around the events, innermost first. -#}
{% macro _worked_out(layers, events) -%}
    {%- set worked = namespace(query=events) -%}
    {%- for depth in range(layers | length) -%}
        {%- set worked.query = 'select *, ' ~ layers[depth] | join(', ')
            ~ ' from (' ~ worked.query ~ ') as layer_' ~ depth -%}
    {%- endfor -%}
    {{ worked.query }}
{%- endmacro %}


{% macro _operation(metric) -%}
    {%- if metric.operation is none -%}
    cast(null as varchar)
    {%- else -%}
    coalesce(properties[{{ sql_text(metric.operation) }}], 'add')
    {%- endif -%}
{%- endmacro %}
