{#- The columns of the calendar, from those that a kind of its rows has. -#}
{% macro calendar_row(kind, columns) -%}
    {{ sql_text(kind) }} as kind
    {%- for column, type in {
        'name': 'varchar', 'reference': 'varchar', 'metric_code': 'varchar',
        'from_at': 'timestamptz', 'to_at': 'timestamptz', 'file_id': 'bigint',
        'line': 'bigint', 'detail': 'varchar'
    }.items() %},
    cast({{ columns.get(column, 'null') }} as {{ type }}) as {{ column }}
    {%- endfor %}
{%- endmacro %}
