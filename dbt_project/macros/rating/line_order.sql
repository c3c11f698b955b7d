{#- The place of a kind of line on an invoice. -#}
{% macro line_order(kind) -%}
    case {{ kind }}
        {%- for each in (
            'usage', 'flat', 'maximum', 'minimum', 'overage', 'true_up',
            'unused_advance', 'adjustment'
        ) %}
        when '{{ each }}' then {{ loop.index }}
        {%- endfor %}
    end
{%- endmacro %}
