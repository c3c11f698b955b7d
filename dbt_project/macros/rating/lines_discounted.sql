{#- Lines with what discounts take off them, in minor units: each discount of a charge on
    what those before it left, allocated to the lines by largest remainder.

    lines      relation of `lines_rated`
    discounts  relation of discounts of charges -#}
{% macro lines_discounted(lines, discounts) -%}
    {{ adapter.dispatch('lines_discounted')(lines, discounts) }}
{%- endmacro %}


{% macro duckdb__lines_discounted(lines, discounts) -%}
    with recursive lines_minor as (
        select
            *,
            {{ minor_units('amount') }} as amount_minor
        from {{ lines }}
    ),

    steps as (
        select
            *,
            row_number() over (partition by charge_number order by discount_number) as step
        from {{ discounts }}
        where kind != 'units'
    ),

    charges_left as (
        select
            charge_number,
            min(minor_unit_digits) as minor_unit_digits,
            min(rounding) as rounding,
            cast(0 as bigint) as step,
            list(coalesce(amount_minor, 0) order by line_key) as lefts
        from lines_minor
        where charge_number in (select charge_number from steps)
        group by charge_number
        union all
        select
            charge_number,
            minor_unit_digits,
            rounding,
            step,
            {{ _less_allocated() }} as lefts
        from (
            select
                *,
                list_sum(lefts) as total,
                least(list_sum(lefts), {{ _taken_off() }}) as taken
            from (
                select
                    charges_left.charge_number,
                    charges_left.minor_unit_digits,
                    charges_left.rounding,
                    steps.step,
                    charges_left.lefts,
                    steps.kind,
                    {#- More than all of it is never taken off. #}
                    {{ units_of("case when steps.kind = 'percent' then least(steps.value, 100)"
                        ~ ' else steps.value end', 18) }} as _value,
                    {{ quotient('list_sum(charges_left.lefts)', '1' ~ '0' * 9) }} as _high,
                    list_sum(charges_left.lefts) % {{ '1' ~ '0' * 9 }} as _low
                from charges_left
                inner join steps
                    on
                        charges_left.charge_number = steps.charge_number
                        and steps.step = charges_left.step + 1
            ) as charges_with_step
        ) as charges_with_taken
    ),

    lines_left as (
        select
            charge_number,
            unnest(lefts) as left_minor,
            generate_subscripts(lefts, 1) as place
        from charges_left
        qualify step = max(step) over (partition by charge_number)
    ),

    lines_in_order as (
        select
            *,
            row_number() over (partition by charge_number order by line_key) as place
        from lines_minor
    )

    select
        lines_in_order.* exclude (place),
        lines_in_order.amount_minor - {{ _left_of_line() }} as discount_minor,
        case when lines_in_order.amount_minor is not null then {{ _left_of_line() }} end
            as net_minor
    from lines_in_order
    left join lines_left
        on
            lines_in_order.charge_number = lines_left.charge_number
            and lines_in_order.place = lines_left.place
{%- endmacro %}


{#- A line of a charge without discounts has all of its amount left. -#}
{% macro _left_of_line() -%}
    coalesce(lines_left.left_minor, lines_in_order.amount_minor)
{%- endmacro %}
