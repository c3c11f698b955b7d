{#- These with what multiplies the price: the units, or the packages that they fill. Without a
    price, only the flat amount of a tier counts. -#}
{% macro tiers_by_units(tiers_of_parts, price) -%}
    select
        line_key,
        part_number,
        charge_model,
        divisor,
        hundredths,
        from_units,
        up_to_units,
        flat_amount,
        maximum_amount,
        quantity,
        remainder,
        packages,
        {{ 'cast(0 as decimal(30, 15))' if price is none else price }} as price,
        case when package_size is null then {{ whole('quantity') }} else packages end
            as units_whole,
        case when package_size is null then {{ fraction_units('quantity', 18) }} else 0 end
            as units_fraction,
        cast(case when package_size is null then remainder else 0 end as {{ wide_integer() }})
            as units_remainder,
        {{ 'true' if price is none else 'false' }} as is_stairstep,
        true as is_reached
    from (
        select
            *,
            {{ whole_packages('quantity', 'remainder', 'package_size', "'up'") }} as packages
        from {{ tiers_of_parts }} as tiers_found
    ) as tiers_with_packages
{%- endmacro %}


{#- How many packages of a size units fill: rounded up, one that is begun counts. -#}
{% macro whole_packages(quantity, remainder, size, rounding) -%}
    {%- set units = units_of(quantity, 18) -%}
    {%- set of_size = units_of(size, 18) -%}
    (
        {{ quotient(units, of_size) }} + case
            when {{ rounding }} = 'up' and ({{ units }} % {{ of_size }} > 0 or {{ remainder }} > 0)
                then 1
            else 0
        end
    )
{%- endmacro %}
