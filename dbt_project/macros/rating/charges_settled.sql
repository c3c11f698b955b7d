{#- Charges with their maximum and minimum, in minor units: what all lines of a charge come
    to, with those that its bounds add.

    charges      relation of charges
    prices       relation of `price_terms`
    lines        relation of `lines_discounted`
    commitments  relation of `commitment_lines` -#}
{% macro charges_settled(charges, prices, lines, commitments) -%}
    select
        *,
        lines_minor - maximum_minor + minimum_minor as total_minor
    from (
        select
            *,
            case
                when is_final
                    then greatest(coalesce(least_minor, 0) - (lines_minor - maximum_minor), 0)
                else 0
            end as minimum_minor
        from (
            select
                *,
                greatest(lines_minor - coalesce(most_minor, lines_minor), 0) as maximum_minor
            from (
                select
                    charge_number,
                    is_final,
                    minor_unit_digits,
                    already_amount,
                    lines_minor,
                    case when minimum_amount is not null
                        then {{ shared_minor_units('minimum_amount', 'days', 'of_days') }}
                    end as least_minor,
                    case when maximum_amount is not null
                        then {{ shared_minor_units('maximum_amount', 'days', 'of_days') }}
                    end as most_minor
                from (
                    {{ _charges_with_sums(charges, prices, lines, commitments) }}
                ) as charges_summed
            ) as charges_bounded
        ) as charges_capped
    ) as charges_raised
{%- endmacro %}


{% macro _charges_with_sums(charges, prices, lines, commitments) -%}
    select
        charges.charge_number,
        charges.minor_unit_digits,
        charges.rounding,
        charges.is_final,
        charges.already_amount,
        case when prices.prorated then charges.days else 1 end as days,
        case when prices.prorated then charges.of_days else 1 end as of_days,
        prices.minimum_amount,
        prices.maximum_amount,
        case
            when not coalesce(lines_of_charge.is_beyond, false)
                and not coalesce(commitments_of_charge.is_beyond, false)
                then coalesce(lines_of_charge.net_minor, 0)
                    + coalesce(commitments_of_charge.minor, 0)
        end as lines_minor
    from {{ charges }} as charges
    inner join {{ prices }} as prices
        on charges.price_number = prices.price_number
    left join (
        select
            charge_number,
            bool_or(net_minor is null) as is_beyond,
            cast(sum(net_minor) as {{ wide_integer() }}) as net_minor
        from {{ lines }}
        group by charge_number
    ) as lines_of_charge
        on charges.charge_number = lines_of_charge.charge_number
    left join (
        select
            commitments.charge_number,
            bool_or(commitments.amount is null) as is_beyond,
            cast(sum({{ minor_units('commitments.amount') }}) as {{ wide_integer() }})
                as minor
        from {{ commitments }} as commitments
        inner join {{ charges }} as charges_of_lines
            on commitments.charge_number = charges_of_lines.charge_number
        group by commitments.charge_number
    ) as commitments_of_charge
        on charges.charge_number = commitments_of_charge.charge_number
{%- endmacro %}


{#- So many minor units as an amount; null beyond the digits of one. -#}
{% macro amount_of_minor(minor) -%}
    case
        when
            abs({{ minor }})
            < {{ power_by_minor_unit(23, 1) }}
            then {{ amount_of('(' ~ minor ~ ' * ' ~ minor_unit_size() ~ ')') }}
    end
{%- endmacro %}


{#- The lines of a charge as a whole that come to something.

    charges      relation of `charges_settled`
    commitments  relation of `commitment_lines` -#}
{% macro bound_lines(charges, commitments) -%}
    select charge_number, kind, amount_unrounded, amount
    from {{ commitments }}
    where amount is null or amount > 0
    {%- for kind, sign in {'maximum': '-', 'minimum': ''}.items() %}
    {%- set amount = amount_of_minor(sign ~ kind ~ '_minor') %}
    union all
    select
        charge_number,
        '{{ kind }}' as kind,
        {{ decimal_text(amount) }} as amount_unrounded,
        {{ amount }} as amount
    from {{ charges }}
    where {{ kind }}_minor > 0
    {%- endfor %}
{%- endmacro %}
