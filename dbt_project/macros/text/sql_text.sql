{#- A text as SQL literal, whatever is in it. -#}
{% macro sql_text(text) -%}
    {%- if text is none -%}
    cast(null as varchar)
    {%- else -%}
    '{{ text | string | replace("'", "''") }}'
    {%- endif -%}
{%- endmacro %}


{#- A list of texts as SQL literal. -#}
{% macro sql_text_list(texts) -%}
    {{ adapter.dispatch('sql_text_list')(texts) }}
{%- endmacro %}

{% macro default__sql_text_list(texts) -%}
    cast(array({{ _sql_texts(texts) }}) as array<string>)
{%- endmacro %}

{% macro duckdb__sql_text_list(texts) -%}
    cast([{{ _sql_texts(texts) }}] as varchar[])
{%- endmacro %}

{% macro _sql_texts(texts) -%}
    {%- for text in texts -%}
    {{ sql_text(text) }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
