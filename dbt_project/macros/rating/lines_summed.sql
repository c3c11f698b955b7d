{#- The price of a line for which one price holds. -#}
{% macro price_of_line() -%}
    case
        when lines.charge_model = 'flat' then lines.fee
        when tiers_of_line.tier_count is null then lines.unit_price
        when not tiers_of_line.is_priced_by_unit then null
        when tiers_of_line.tier_count = 1 then tiers_of_line.tier_price
    end
{%- endmacro %}


{#- Lines of the wide road with what they come to, which `with_carry` brings into bounds. -#}
{% macro wide_lines_summed(lines, parts, tiers, amounts) -%}
    select
        lines.* exclude (unit_price),
        coalesce(sums.is_beyond, false)
            or coalesce(quantities.quantity_whole, 0) >= {{ '1' ~ '0' * 20 }} as is_beyond,
        coalesce(sums.amount_whole, 0) as amount_whole,
        coalesce(sums.amount_units, 0) as amount_units,
        coalesce(sums.amount_rest, 0) as amount_rest,
        coalesce(quantities.quantity_whole, 0) as quantity_whole,
        coalesce(quantities.quantity_units, 0) as quantity_units,
        coalesce(quantities.quantity_rest, 0) as quantity_rest,
        {{ price_of_line() }} as unit_price
    from {{ wide_lines(lines, parts) }} as lines
    left join ({{ amounts_by_line(amounts) }}) as sums
        on lines.line_key = sums.line_key
    left join ({{ quantities_by_line(parts) }}) as quantities
        on lines.line_key = quantities.line_key
    left join (
        select
            line_key,
            count(distinct from_units) as tier_count,
            bool_and(hundredths = 1 and not is_stairstep) as is_priced_by_unit,
            min(price) as tier_price
        from {{ tiers }}
        group by line_key
    ) as tiers_of_line
        on lines.line_key = tiers_of_line.line_key
{%- endmacro %}


{#- The same of lines of the narrow road, with their amount as it is there. -#}
{% macro narrow_lines_summed(lines, parts, narrow) -%}
    select
        lines.* exclude (unit_price),
        false as is_beyond,
        {{ ratio_of_narrow('coalesce(tiers_of_line.amount, 0)', 'amount') }},
        {{ ratio_of_narrow_quantity('parts.narrow_quantity', 'quantity') }},
        {{ price_of_line() }} as unit_price,
        coalesce(tiers_of_line.amount, 0) as narrow_amount,
        coalesce(tiers_of_line.tiers, '[]') as tiers
    from {{ lines }} as lines
    inner join {{ parts }} as parts
        on lines.line_key = parts.line_key
    left join (select *, true as is_priced_by_unit from {{ narrow }}) as tiers_of_line
        on lines.line_key = tiers_of_line.line_key
    where parts.narrow_quantity is not null
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
    where narrow_quantity is null
    group by line_key
{%- endmacro %}


{#- The billed quantity of a line, half away at 18 digits; null beyond a quantity's digits. -#}
{% macro billed_quantity_of_line() -%}
    {{ attempt(quantity_of('(quantity_whole * ' ~ '1' ~ '0' * 18 ~ ' + quantity_units + '
        ~ quotient('quantity_rest', 'divisor') ~ ' + case when quantity_rest % divisor * 2
        >= divisor then 1 else 0 end)')) }}
{%- endmacro %}
