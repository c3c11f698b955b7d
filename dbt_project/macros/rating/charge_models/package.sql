{#- Units are sold in packages of one size, each at one price. -#}
{% macro default__package_price_tiers(parts, tiers, cells) -%}
    {{ one_tier(parts, 'unit_price',
        whole_packages('quantity', 'remainder', 'package_size', 'package_rounding'), '0', true) }}
{%- endmacro %}
