{#- Each tier at its own price, for the units that lie in it. -#}
{% macro default__graduated_price_tiers(parts, tiers, cells) -%}
    {{ tiers_by_units(tiers_reached(parts, tiers), 'unit_price') }}
{%- endmacro %}


{% macro default__graduated_narrow_tier(parts, tiers) -%}
    {{ narrow_tier_held(parts, tiers, true) }}
{%- endmacro %}
