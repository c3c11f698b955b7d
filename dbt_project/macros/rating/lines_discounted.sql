{#- Lines with what discounts take off them, in minor units: a charge is settled like an
    invoice whose discounts fall on all of its lines.

    lines      relation of `lines_rated`
    discounts  relation of discounts of charges -#}
{% macro lines_discounted(lines, discounts) -%}
    with lines_minor as (
        select
            *,
            {{ minor_units('amount') }} as amount_minor
        from {{ lines }}
    ),

    discounts_of_charges as (
        select
            charge_number as payer_key,
            row_number() over (partition by charge_number order by discount_number)
                as discount_number,
            kind,
            value,
            {{ percent_in_parts() }},
            'each' as spread,
            cast(null as bigint) as periods,
            cast(0 as decimal(38, 18)) as used
        from {{ discounts }}
        where kind != 'units'
    ),

    charges_to_settle as (
        select
            charge_number as invoice_key,
            charge_number as payer_key,
            1 as invoice_place,
            min(minor_unit_digits) as minor_unit_digits,
            min(rounding) as rounding
        from lines_minor
        where charge_number in (select payer_key from discounts_of_charges)
        group by charge_number
    ),

    {#- A line beyond the digits of an amount has nothing that could be taken off. #}
    lines_to_settle as (
        select
            charge_number as invoice_key,
            line_key as line_number,
            coalesce(amount_minor, 0) as left_minor,
            cast([] as {{ discount_parts_type() }}) as discount_parts
        from lines_minor
        where charge_number in (select payer_key from discounts_of_charges)
    ),

    lines_of_discounts as (
        select
            lines_to_settle.invoice_key,
            lines_to_settle.line_number,
            discounts_of_charges.discount_number
        from lines_to_settle
        inner join discounts_of_charges
            on lines_to_settle.invoice_key = discounts_of_charges.payer_key
    ),

    lines_left as (
        {{ discounts_taken('charges_to_settle', 'lines_to_settle', 'discounts_of_charges',
            'lines_of_discounts') }}
    )

    select
        lines_minor.*,
        lines_minor.amount_minor - {{ _left_of_line() }} as discount_minor,
        case when lines_minor.amount_minor is not null then {{ _left_of_line() }} end as net_minor
    from lines_minor
    left join lines_left
        on
            lines_minor.charge_number = lines_left.invoice_key
            and lines_minor.line_key = lines_left.line_number
{%- endmacro %}


{#- A line of a charge without discounts has all of its amount left. -#}
{% macro _left_of_line() -%}
    coalesce(lines_left.left_minor, lines_minor.amount_minor)
{%- endmacro %}
