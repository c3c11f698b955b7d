{#- What rating comes to, as texts: exact, or half away at 18 digits where a quotient does
    not end. -#}

{% macro lines_as_text(lines) -%}
    select
        line_key,
        case
            when charge_model = 'flat' then {{ decimal_text('fee_quantity') }}
            else {{ quantity_of_parts_text() }}
        end as billed_quantity,
        {{ decimal_text('unit_price') }} as unit_price,
        {{ ratio_text('amount', 'divisor * small_divisor') }} as amount_unrounded,
        {{ decimal_text('amount') }} as amount,
        {{ decimal_text(amount_of_minor('discount_minor')) }} as discount_amount,
        {{ decimal_text(amount_of_minor('net_minor')) }} as net_amount
    from {{ lines }}
{%- endmacro %}


{#- The sum of the quantities of parts. -#}
{% macro quantity_of_parts_text() -%}
    {%- set one = '1' ~ '0' * 18 -%}
    {%- set units = '(quantity_units + ' ~ quotient('quantity_rest', 'divisor') ~ ')' -%}
    {{ units_text(
        '(quantity_whole + ' ~ quotient(units, one) ~ ')', '(' ~ units ~ ' % ' ~ one ~ ')',
        '(quantity_rest % divisor)', 'divisor'
    ) }}
{%- endmacro %}


{% macro bound_lines_as_text(charges, commitments) -%}
    select * replace ({{ decimal_text('amount') }} as amount)
    from ({{ bound_lines(charges, commitments) }}) as lines_of_charges
{%- endmacro %}


{% macro totals_as_text(charges, lines) -%}
    select
        charges.charge_number,
        coalesce(sums.amount_unrounded, '0') as amount_unrounded,
        {{ decimal_text(amount_of_minor('total_minor')) }} as amount,
        {{ decimal_text('(' ~ amount_of_minor('total_minor') ~ ' - already_amount)') }}
            as difference
    from {{ charges }} as charges
    left join (
        select
            charge_number,
            {{ ratio_text('amount', 'divisors') }} as amount_unrounded
        from (
            {{ with_carry('(
                select
                    charge_number,
                    divisor * small_divisor as divisors,
                    ' ~ sum_of_amounts('amount') ~ '
                from ' ~ lines ~ '
                group by charge_number, divisor, small_divisor
            )', 'amount', 'divisors') }}
        ) as lines_summed
    ) as sums
        on charges.charge_number = sums.charge_number
{%- endmacro %}
