{#- What tiers of lines come to, as texts; see `rated_texts.sql`. -#}

{#- The tiers of both roads. -#}
{% macro all_tiers_as_text(tiers, lines) -%}
    {{ tiers_as_text(tiers) }}
    union all
    {{ adapter.dispatch('narrow_tiers_as_text')(lines) }}
{%- endmacro %}


{#- Those of the narrow road, as they stand on their line. -#}
{% macro duckdb__narrow_tiers_as_text(lines) -%}
    select
        line_key,
        tier.from_units,
        tier.up_to_units,
        tier.quantity,
        cast(null as varchar) as packages,
        tier.unit_price,
        cast(null as varchar) as rate_percent,
        tier.flat_amount,
        tier.amount as amount_unrounded,
        cast(tier.from_units as decimal(38, 18)) as from_units_of_tier
    from (
        select
            line_key,
            unnest(from_json(tiers, '[{
                "from_units": "VARCHAR", "up_to_units": "VARCHAR", "unit_price": "VARCHAR",
                "flat_amount": "VARCHAR", "quantity": "VARCHAR", "amount": "VARCHAR"
            }]')) as tier
        from {{ lines }}
        where tiers is not null
    ) as tiers_of_narrow_lines
{%- endmacro %}


{% macro tiers_as_text(tiers) -%}
    select
        line_key,
        {{ decimal_text('from_units') }} as from_units,
        {{ decimal_text('up_to_units') }} as up_to_units,
        {{ quantity_of_parts_text() }} as quantity,
        cast(packages as varchar) as packages,
        case when hundredths = 1 and not is_stairstep then {{ decimal_text('price') }} end
            as unit_price,
        case when hundredths = 100 then {{ decimal_text('price') }} end as rate_percent,
        {{ decimal_text('flat_amount') }} as flat_amount,
        {{ ratio_text('amount', 'divisor * hundredths') }} as amount_unrounded,
        tiers_of_lines.from_units as from_units_of_tier
    from (
        {{ with_carry('(' ~ with_quotient('(' ~ with_carry('(' ~ _tiers_of_lines(tiers) ~ ')',
            'amount', 'divisor') ~ ')', 'amount', 'divisor', 'hundredths') ~ ')', 'amount',
            '(divisor * hundredths)') }}
    ) as tiers_of_lines
{%- endmacro %}


{% macro _tiers_of_lines(tiers) -%}
    select
        line_key,
        from_units,
        up_to_units,
        price,
        divisor,
        hundredths,
        is_stairstep,
        cast(sum(packages) as {{ wide_integer() }}) as packages,
        sum(flat_amount) as flat_amount,
        {%- for name, units in {
            'quantity_whole': whole('quantity'),
            'quantity_units': fraction_units('quantity', 18),
            'quantity_rest': 'remainder',
            'amount_whole': 'amount_whole',
            'amount_units': 'amount_units',
            'amount_rest': 'amount_rest',
        }.items() %}
        cast(sum({{ units }}) as {{ wide_integer() }}) as {{ name }} {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ tiers }}
    where is_reached
    group by 1, 2, 3, 4, 5, 6, 7
{%- endmacro %}
