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
    cast([
        {%- for text in texts -%}
        {{ sql_text(text) }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    ] as varchar[])
{%- endmacro %}
