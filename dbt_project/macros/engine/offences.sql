{#- What a test has found, as one row: the number and the name of the assertion,
    how many rows offend against it, and the first of them, each as JSON. `shows`
   lists what is shown of a row: who it is about, and by how much it is wrong. -#}
{% macro offences(assertion, query, number=1, shows=['*']) -%}
    {{ adapter.dispatch('offences')(assertion, query, number, shows) }}
{%- endmacro %}


{#- Two steps, so that only the rows that are shown become a list. -#}
{% macro duckdb__offences(assertion, query, number, shows) -%}
    select
        {{ number }} as number,
        {{ sql_text(assertion) }} as assertion,
        count(*) as offences,
        list(offending_row order by row_number)
            filter (where row_number <= 3) as first_rows
    from (
        select
            cast(to_json(offending) as varchar) as offending_row,
            row_number() over () as row_number
        from (
            select {{ shows | join(', ') }}
            from (
                {{ query }}
            ) as offending_rows
        ) as offending
    )
{%- endmacro %}
