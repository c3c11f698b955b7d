{#- What charge models have in common: the tiers that a part of a line reaches.

    parts  relation of `parts_to_price`: the columns of a part, of its line and of its price
    tiers  relation of tiers, as given -#}

{#- Parts as a single open tier, which is not reached without units. `packages`: units are
    packages. -#}
{% macro one_tier(parts, price, units, remainder, packages=false) -%}
    select
        line_key,
        part_number,
        charge_model,
        divisor,
        hundredths,
        cast(0 as decimal(38, 18)) as from_units,
        cast(null as decimal(38, 18)) as up_to_units,
        cast(0 as decimal(30, 15)) as flat_amount,
        cast(null as decimal(30, 15)) as maximum_amount,
        quantity,
        remainder,
        {{ units if packages else 'cast(null as ' ~ wide_integer() ~ ')' }} as packages,
        {{ price }} as price,
        {{ units if packages else whole(units) }} as units_whole,
        {{ '0' if packages else fraction_units(units, 18) }} as units_fraction,
        cast({{ remainder }} as {{ wide_integer() }}) as units_remainder,
        false as is_stairstep,
        quantity > 0 or remainder > 0 as is_reached
    from {{ parts }} as parts_of_one_tier
    where quantity is not null
{%- endmacro %}


{#- The tiers that a quantity reaches, with the units in each. What is left of the quantity
    is in the last one. At 0 units, the first tier is reached if its charge says so. -#}
{% macro tiers_reached(parts, tiers) -%}
    (
        select
            * replace (
                least(quantity, coalesce(up_to_units, quantity)) - from_units as quantity,
                case when up_to_units is null or quantity < up_to_units then remainder else 0 end
                    as remainder
            )
        from (
            {{ _parts_with_tiers(parts, tiers) }}
            where {{ _is_reached() }}
        ) as parts_with_tiers
    )
{%- endmacro %}


{#- The tier that holds a quantity, with all of its units. -#}
{% macro tier_held(parts, tiers) -%}
    (
        {{ _parts_with_tiers(parts, tiers) }}
        where {{ is_held() }}
    )
{%- endmacro %}


{#- Whether a tier is the last that a quantity reaches. -#}
{% macro is_held() -%}
    (
        {{ _is_reached() }}
        and (
            tiers.up_to_units is null
            or parts.quantity < tiers.up_to_units
            or (parts.quantity = tiers.up_to_units and parts.remainder = 0)
        )
    )
{%- endmacro %}


{#- Whether a quantity goes beyond the beginning of a tier, or is 0 and that is enough. -#}
{% macro _is_reached() -%}
    (
        parts.quantity > tiers.from_units
        or (
            parts.quantity = tiers.from_units and (
                parts.remainder > 0
                or (parts.quantity = 0 and coalesce(parts.flat_at_zero, false))
            )
        )
    )
{%- endmacro %}


{% macro _parts_with_tiers(parts, tiers) -%}
    select
        parts.line_key,
        parts.part_number,
        parts.charge_model,
        parts.divisor,
        parts.hundredths,
        tiers.from_units,
        tiers.up_to_units,
        tiers.unit_price,
        tiers.rate_percent,
        tiers.flat_amount,
        tiers.package_size,
        tiers.maximum_amount,
        parts.quantity,
        parts.remainder
    from {{ parts }} as parts
    inner join {{ tiers }} as tiers
        on parts.price_number = tiers.price_number
{%- endmacro %}
