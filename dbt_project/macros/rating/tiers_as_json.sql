{#- The tiers of lines as they stand on the invoice, one row per line: decimals as text, the
    amounts unrounded. -#}
{% macro tiers_as_json(tiers) -%}
    {{ adapter.dispatch('tiers_as_json')(tiers) }}
{%- endmacro %}


{% macro duckdb__tiers_as_json(tiers) -%}
    select
        line_key,
        cast(to_json(list(
            {
                'from_units': from_units,
                'up_to_units': up_to_units,
                'unit_price': unit_price,
                'flat_amount': flat_amount,
                'quantity': quantity,
                'amount': amount_unrounded,
                'packages': packages,
                'rate_percent': rate_percent
            } order by from_units_of_tier
        )) as varchar) as tiers
    from (
        {{ tiers_as_text(tiers) }}
    ) as tier_texts
    group by line_key
{%- endmacro %}
