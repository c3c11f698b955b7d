{#- A table of the lake, as it was after a batch: `last_lake_batch`, or all of them where
    that is none. Every row of the lake carries the batch that wrote it. -#}
{% macro lake_table(name) -%}
    {%- if var('last_lake_batch') is none -%}
    {{ source('lake', name) }}
    {%- else -%}
    (
        select * from {{ source('lake', name) }}
        where batch_id <= {{ var('last_lake_batch') | int }}
    )
    {%- endif -%}
{%- endmacro %}
