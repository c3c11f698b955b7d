{#- Lines with the terms of their charge and of its price: `divisor` and `small_divisor` are
    what amounts are still divided by, `fee…` what a flat charge costs, by days where it
    `is_shared`. -#}
{% macro lines_with_terms(lines, charges, prices) -%}
    select
        lines.line_key,
        lines.charge_number,
        lines.group_key,
        lines.quantity,
        lines.event_count,
        charges.minor_unit_digits,
        charges.rounding,
        charges.price_number,
        prices.charge_model,
        prices.unit_price,
        prices.priced_each,
        prices.divisor,
        prices.flat_amount as fee,
        prices.quantity as fee_quantity,
        {{ _is_shared() }} as is_shared,
        case when {{ _is_shared() }} then charges.days else 1 end as fee_days,
        cast(case
            when {{ _is_shared() }} then charges.of_days
            else prices.hundredths
        end as {{ wide_integer() }}) as small_divisor
    from {{ lines }} as lines
    inner join {{ charges }} as charges
        on lines.charge_number = charges.charge_number
    inner join {{ prices }} as prices
        on charges.price_number = prices.price_number
{%- endmacro %}


{#- Whether a fee is due by days. -#}
{% macro _is_shared() -%}
    (prices.charge_model = 'flat' and prices.prorated and prices.billed = 'period')
{%- endmacro %}


{#- The lines whose parts take the wide road, or that have none. -#}
{% macro wide_lines(lines, parts) -%}
    (
        select *
        from {{ lines }}
        where line_key not in (
            select line_key from {{ parts }} where narrow_quantity is not null
        )
    )
{%- endmacro %}


{#- What lines come to: amounts and billed quantities, rounded once. Those of the narrow road
    have their tiers as JSON.

    lines    relation of `lines_with_terms`
    parts    relation of `parts_by_road`
    tiers    relation of `tiers_rated`
    amounts  relation of `amounts_by_part`
    narrow   relation of `narrow_lines` -#}
{% macro lines_rated(lines, parts, tiers, amounts, narrow) -%}
    select
        *,
        case when not is_beyond then
            {{ rounded_ratio('amount', 'minor_unit_digits', 'rounding') }}
        end as amount,
        cast(null as varchar) as tiers
    from (
        {{ with_carry('(' ~ wide_lines_summed(lines, parts, tiers, amounts) ~ ')', 'amount',
            '(divisor * small_divisor)') }}
    ) as wide_lines_summed
    union all
    select
        * exclude (narrow_amount, tiers),
        case
            when rounding = 'half_away'
                then {{ rounded_narrow('narrow_amount', 'minor_unit_digits') }}
            else {{ rounded_ratio('amount', 'minor_unit_digits', 'rounding') }}
        end as amount,
        tiers
    from ({{ narrow_lines_summed(lines, parts, narrow) }}) as narrow_lines_summed
{%- endmacro %}
