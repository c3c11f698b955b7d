{#- Each tier at its own percentage, for the units that lie in it. -#}
{% macro default__graduated_percentage_price_tiers(parts, tiers, cells) -%}
    {{ tiers_by_units(tiers_reached(parts, tiers), 'rate_percent') }}
{%- endmacro %}
