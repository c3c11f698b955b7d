{#- Each unit at one price: a single open tier. -#}
{% macro default__standard_price_tiers(parts, tiers, cells) -%}
    {{ one_tier(parts, 'unit_price', 'quantity', 'remainder') }}
{%- endmacro %}


{% macro default__standard_narrow_tier(parts, tiers) -%}
    {{ narrow_open_tier(parts) }}
{%- endmacro %}
