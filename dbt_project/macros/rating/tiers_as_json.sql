{#- The tiers of lines of the wide road as they stand on the invoice, one row per line:
    decimals as text, the amounts unrounded. -#}
{% macro tiers_as_json(tiers) -%}
    select
        line_key,
        '[' || string_agg(
            {{ tier_as_json(
                tier_terms_as_json('from_units', 'up_to_units', 'unit_price', 'flat_amount'),
                'quantity', 'amount_unrounded', 'packages', 'rate_percent'
            ) }}, ',' order by from_units_of_tier
        ) || ']' as tiers
    from (
        {{ tiers_as_text(tiers) }}
    ) as tier_texts
    group by line_key
{%- endmacro %}


{#- The terms of a tier as the beginning of a JSON object; arguments are texts. -#}
{% macro tier_terms_as_json(from_units, up_to_units, unit_price, flat_amount) -%}
    '{"from_units":' || {{ _json_text(from_units) }}
    || ',"up_to_units":' || {{ _json_text(up_to_units) }}
    || ',"unit_price":' || {{ _json_text(unit_price) }}
    || ',"flat_amount":' || {{ _json_text(flat_amount) }}
{%- endmacro %}


{#- The object with what a line has in the tier. -#}
{% macro tier_as_json(terms, quantity, amount, packages='null', rate_percent='null') -%}
    {{ terms }} || ',"quantity":' || {{ _json_text(quantity) }}
    || ',"amount":' || {{ _json_text(amount) }}
    || ',"packages":' || {{ _json_text(packages) }}
    || ',"rate_percent":' || {{ _json_text(rate_percent) }} || '}'
{%- endmacro %}


{#- The text of a number, which JSON does not escape. -#}
{% macro _json_text(text) -%}
    coalesce('"' || {{ text }} || '"', 'null')
{%- endmacro %}
