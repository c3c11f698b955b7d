{#- One amount for the tier that holds the quantity. -#}
{% macro default__stairstep_price_tiers(parts, tiers, cells) -%}
    {{ tiers_by_units(tier_held(parts, tiers), none) }}
{%- endmacro %}
