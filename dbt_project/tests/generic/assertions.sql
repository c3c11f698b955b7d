{% test assertions(model, all) %}

{#- Several assertions about one model in one query: a row for each, with how
    many rows offend against it and the first of them. An entry of `all` is the
    name of a generic test and its arguments; `name` says what is claimed, and
    `where` leaves out rows of the model. The refs among the arguments are known
    before this runs, so that there is nothing to do while dbt parses. -#}
{%- for assertion in all if execute -%}
    {%- set kind, given = assertion.items() | first -%}
    {%- set arguments = dict(given) -%}
    {%- set columns = given.columns or given.within or [given.column_name] -%}
    {%- set columns = columns + (given.nullable_columns or []) -%}
    {%- set claim = kind ~ '(' ~ columns | join(', ') ~ ')' -%}
    {%- set name = arguments.pop('name', claim) -%}
    {%- set where = arguments.pop('where', none) -%}
    {%- set rows = model -%}
    {%- if where -%}
        {%- set rows -%}
            (select * from {{ model }} where {{ where }}) as rows_in_question
        {%- endset -%}
    {%- endif -%}
    {{ offences(name, context['test_' ~ kind](rows, **arguments), loop.index) }}
    {{ 'union all' if not loop.last }}
{% endfor -%}

{% endtest %}
