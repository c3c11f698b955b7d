{#- Parts of lines in units of the price, less the units that are free in each of them anew:
    `quantity` cut at 10^-18, and in `remainder` how many
    parts of 10^-18 are left, of which `divisor` make one. What is too large is null. By 1,
    nothing is divided. -#}
{% macro parts_converted(parts, prices) -%}
    {%- set one = '1' ~ '0' * 18 -%}
    {%- set is_divided = 'not (prices.divisor = 1 and prices.divisor_scale = 1)' -%}
    select
        * exclude (free_units) replace (
            case when quantity < free_units then 0 else quantity - free_units end as quantity,
            case when quantity < free_units then 0 else remainder end as remainder
        )
    from (
        select
            line_key,
            part_number,
            is_event,
            charge_number,
            price_number,
            divisor,
            free_units,
            case
                when unit_rounding = 'none' then quantity
                else {{ attempt('cast(trunc(quantity) + case
                    when unit_rounding = \'up\' and (remainder > 0 or quantity > trunc(quantity))
                        then 1
                    when unit_rounding = \'nearest\' and quantity - trunc(quantity) >= 0.5 then 1
                    else 0
                end as decimal(38, 18))') }}
            end as quantity,
            case when unit_rounding = 'none' then remainder else 0 end as remainder
        from (
            select
                *,
                case
                    when _whole is null then counted
                    else {{ attempt(quantity_of('(_high * ' ~ one ~ ' + '
                        ~ quotient('_low', 'divisor') ~ ')')) }}
                end as quantity,
                coalesce(_low % divisor, 0) as remainder
            from (
                select
                    *,
                    {{ quotient('(_whole * divisor_scale)', 'divisor') }} as _high,
                    (_whole * divisor_scale) % divisor * {{ one }} + _fraction * divisor_scale
                        as _low
                from (
                    select
                        parts.*,
                        prices.divisor,
                        prices.divisor_scale,
                        prices.unit_rounding,
                        prices.free_units,
                        case when {{ is_divided }} then {{ whole('parts.counted') }} end as _whole,
                        case
                            when {{ is_divided }} then {{ fraction_units('parts.counted', 18) }}
                        end as _fraction
                    from {{ parts }} as parts
                    inner join {{ prices }} as prices
                        on parts.price_number = prices.price_number
                ) as factors
            ) as quotients
        ) as quantities
    ) as units
{%- endmacro %}
