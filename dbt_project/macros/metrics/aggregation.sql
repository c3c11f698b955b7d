{#- An aggregation is a file of `macros/aggregations` with three macros:
    `default__<name>_quantity`, `…_unmetered_reason` and `…_total`. They are
    called here, by name. (dbt reads a literal in `adapter.dispatch(…)` before it
    runs the macro; a name that is put together needs another way to call it.) -#}

{#- The names of all aggregations. -#}
{% macro known_aggregations() -%}
    {%- set names = [] -%}
    {%- for macro_name in context | sort
        if macro_name.startswith('default__')
        and macro_name.endswith('_total') -%}
        {%- do names.append(macro_name[9:-6]) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}


{#- The quantity of one event; null when it has none. -#}
{% macro event_quantity(aggregation, property, fraction_digits) -%}
    {%- set find = adapter.dispatch -%}
    {{ find(aggregation ~ '_quantity')(property, fraction_digits) }}
{%- endmacro %}


{#- Why an event without quantity has none. -#}
{% macro unmetered_reason(aggregation, property) -%}
    {%- set find = adapter.dispatch -%}
    {{ find(aggregation ~ '_unmetered_reason')(property) }}
{%- endmacro %}


{#- The quantity of many events of one metric, by the aggregation that their
    column `aggregation` names. A total that a quantity cannot hold raises and
    names the row. -#}
{% macro metric_total(quantity, row_name) -%}
    {%- set find = adapter.dispatch -%}
    {%- set names_by_total = {} -%}
    {%- for name in known_aggregations() -%}
        {%- set total = find(name ~ '_total')(quantity, row_name) -%}
        {%- do names_by_total.setdefault(total, []).append(sql_text(name)) -%}
    {%- endfor -%}
    {%- if names_by_total | length < 2 -%}
    {{ names_by_total.keys() | first | default('null') }}
    {%- else -%}
    case
        {%- for total, names in names_by_total.items() %}
        when min(aggregation) in ({{ names | join(', ') }}) then {{ total }}
        {%- endfor %}
    end
    {%- endif -%}
{%- endmacro %}
