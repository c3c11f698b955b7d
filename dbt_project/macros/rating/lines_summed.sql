{#- The price of a line for which one price holds. -#}
{% macro price_of_line() -%}
    case
        when lines.charge_model = 'flat' then lines.fee
        when tiers_of_line.tier_count is null then lines.unit_price
        when not tiers_of_line.is_priced_by_unit then null
        when tiers_of_line.tier_count = 1 then tiers_of_line.tier_price
    end
{%- endmacro %}


{% macro amounts_by_line(amounts) -%}
    select
        line_key,
        bool_or(is_beyond) as is_beyond,
        {{- sum_of_amounts('amount') }}
    from {{ amounts }}
    group by line_key
{%- endmacro %}


{% macro quantities_by_line(parts) -%}
    select
        line_key,
        cast(sum({{ whole('quantity') }}) as {{ wide_integer() }}) as quantity_whole,
        cast(sum({{ fraction_units('quantity', 18) }}) as {{ wide_integer() }}) as quantity_units,
        cast(sum(remainder) as {{ wide_integer() }}) as quantity_rest
    from {{ parts }}
    group by line_key
{%- endmacro %}


{#- The billed quantity of a line, half away at 18 digits; null beyond a quantity's digits. -#}
{% macro billed_quantity_of_line() -%}
    {{ attempt(quantity_of('(quantity_whole * ' ~ '1' ~ '0' * 18 ~ ' + quantity_units + '
        ~ quotient('quantity_rest', 'divisor') ~ ' + case when quantity_rest % divisor * 2
        >= divisor then 1 else 0 end)')) }}
{%- endmacro %}
