{#- All units at the price of the tier that holds the quantity. -#}
{% macro default__volume_price_tiers(parts, tiers, cells) -%}
    {{ tiers_by_units(tier_held(parts, tiers), 'unit_price') }}
{%- endmacro %}
