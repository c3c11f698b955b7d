{#- An aggregation is a file of `macros/aggregations`. Its macros are called here, by
    name. (dbt reads a literal in `adapter.dispatch(…)` before it runs the macro; a
    name that is put together needs another way to call it.) `metric` is a
    definition, as `metric_definition` leaves it.

    default__<name>_traits(metric, traits)  what it is like; `traits_of` has the list
    default__<name>_partial(metric)  columns of the state of many events
    default__<name>_merge(metric)    the same columns of many states
    default__<name>_final(metric)    the quantity of one state, null for no value
    default__<name>_carry(metric)    optional: the columns of `state_key` and of the
                                     state by which earlier periods enter this one
    default__<name>_windows(metric, partition)  optional: columns over the states of
                                     a key, where a key has many
    default__<name>_total(metric)    optional: columns of one state of these -#}

{#- The names of all aggregations, for the test of a column. -#}
{% macro known_aggregations() -%}
    {%- set names = [] -%}
    {%- do aggregation_names(names) -%}
    {{ return(names) }}
{%- endmacro %}


{#- `names` gets the names of all aggregations. -#}
{% macro aggregation_names(names) -%}
    {%- for macro_name in context | sort
        if macro_name.startswith('default__')
        and macro_name.endswith('_traits') -%}
        {%- do names.append(macro_name[9:-7]) -%}
    {%- endfor -%}
{%- endmacro %}


{#- `traits` gets what the aggregation of a metric is like:

    value        number, or text for what is counted by its text
    needs_value  there is nothing to aggregate without a value
    adds         quantities of parts add up to that of the whole
    recurring    state before the period may count
    empty        the quantity of no event; none: no value
    state        names of the columns of a state, as partial has them
    state_key    columns beside the key by which states are kept
    carry_key    those of them that earlier states keep
    needs_span   an event needs `span_start_at` of its period
    needs_days   an event needs `day_number` and `day_start_at` of its local day
    daily        a local day has a quantity of its own -#}
{% macro traits_of(metric, traits) -%}
    {%- do traits.update({
        'value': 'number', 'needs_value': true, 'adds': false, 'recurring': false,
        'empty': none, 'state': [], 'state_key': [], 'carry_key': [],
        'needs_span': false, 'needs_days': false, 'daily': false,
    }) -%}
    {%- set find = adapter.dispatch -%}
    {%- do find(metric.aggregation ~ '_traits')(metric, traits) -%}
    {%- do traits.update({
        'adds': false, 'daily': false,
        'empty': 0 if metric.combine == 'sum' or metric.empty_buckets == 'zero' else none
    }) if metric.bucket is not none -%}
{%- endmacro %}


{#- One of the parts of a metric's aggregation, with a comma where there are columns;
    nothing where it is optional and left out. -#}
{% macro aggregation_part(metric, part, arguments=[]) -%}
    {%- if 'default__' ~ metric.aggregation ~ '_' ~ part in context -%}
        {%- set find = adapter.dispatch -%}
        {{ find(metric.aggregation ~ '_' ~ part)(metric, *arguments) }}
    {%- endif -%}
{%- endmacro %}


{#- True for a metric whose quantities add up, over groups and periods alike. -#}
{% macro is_additive(metric) -%}
    {{ 'true' if metric.traits.adds and metric.round is none else 'false' }}
{%- endmacro %}
