{#- All units at the price of the tier that holds the quantity. -#}
{% macro default__volume_price_tiers(parts, tiers, cells) -%}
    {{ tiers_by_units(tier_held(parts, tiers), 'unit_price') }}
{%- endmacro %}


{% macro default__volume_narrow_tier(parts, tiers) -%}
    {{ narrow_tier_held(parts, tiers, false) }}
{%- endmacro %}
