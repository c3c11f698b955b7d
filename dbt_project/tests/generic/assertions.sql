{% test assertions(model, all) %}

{#- Several assertions about one model in one query: a row for each, with how
    many rows offend against it and the first of them. An entry of `all` is the
    name of a generic test and its arguments. `name` says what is claimed, and
    `where` leaves out rows of the model. `shows` lists what is shown of a row
    that offends: who it is about, and by how much it is wrong. The refs among
    the arguments are known before this runs, so that there is nothing to do
    while dbt parses. -#}
{%- for assertion in all if execute -%}
    {%- set kind, given = assertion.items() | first -%}
    {%- set arguments = dict(given) -%}
    {%- set columns = given.columns or given.within or [given.column_name] -%}
    {%- set columns = columns + (given.nullable_columns or []) -%}
    {%- set claim = kind ~ '(' ~ columns | join(', ') ~ ')' -%}
    {%- set name = arguments.pop('name', claim) -%}
    {%- set where = arguments.pop('where', none) -%}
    {%- set shows = arguments.pop('shows', ['*']) -%}
    {%- set rows = model -%}
    {%- if where -%}
        {%- set rows -%}
            (select * from {{ model }} where {{ where }}) as rows_in_question
        {%- endset -%}
    {%- endif -%}
    {%- set query = context['test_' ~ kind](rows, **arguments) -%}
    {{ offences(name, query, loop.index, shows) }}
    {{ 'union all' if not loop.last }}
{% endfor -%}

{% endtest %}
