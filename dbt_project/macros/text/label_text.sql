{#- The text of a label, which is a local date and time: midnight is written as
    a date. -#}
{% macro label_text(label) -%}
    replace(
        replace(cast({{ label }} as varchar), ' 00:00:00', ''), ' ', 'T'
    )
{%- endmacro %}
