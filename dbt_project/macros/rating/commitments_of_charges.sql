{#- What charges come to beside their commitments, one row per charge that has one: `over_…`
    and `short_…`, whose rest counts parts of `all_divisors`. Of a period or of each bucket,
    all groups together.

    charges  relation of charges
    prices   relation of `price_terms`
    amounts  relation of `amounts_by_part` -#}
{% macro commitments_compared(charges, prices, amounts) -%}
    {%- set query = namespace(text=_charges_with_units(charges, prices, amounts)) -%}
    {%- set query.text = with_carry('(' ~ query.text ~ ')', 'amount', 'amount_divisors') -%}
    {%- set query.text = with_share('(' ~ query.text ~ ')', 'commitment_amount', 'commitment_days',
        'commitment_of_days', 'commitment') -%}
    {%- set query.text = with_excess('(' ~ query.text ~ ')', 'amount', 'amount_divisors',
        'commitment', 'commitment_of_days', 'over') -%}
    {%- set query.text = with_excess('(' ~ query.text ~ ')', 'commitment', 'commitment_of_days',
        'amount', 'amount_divisors', 'short') -%}
    {%- set query.text = _sums_of_units('(' ~ query.text ~ ')') -%}
    {%- set query.text = with_carry('(' ~ query.text ~ ')', 'short', 'all_divisors') -%}
    {{ with_carry('(' ~ query.text ~ ')', 'over', 'all_divisors') }}
{%- endmacro %}


{% macro _charges_with_units(charges, prices, amounts) -%}
    select
        charges.charge_number,
        charges.minor_unit_digits,
        charges.rounding,
        charges.is_final,
        prices.commitment_amount,
        prices.commitment_overage_factor,
        prices.commitment_true_up,
        cast(case when {{ _is_shared_commitment() }} then charges.days else 1 end
            as {{ wide_integer() }}) as commitment_days,
        cast(case when {{ _is_shared_commitment() }} then charges.of_days else 1 end
            as {{ wide_integer() }}) as commitment_of_days,
        coalesce(sums.amount_divisors, 1) as amount_divisors,
        {%- for name in ('whole', 'units', 'rest') %}
        coalesce(sums.amount_{{ name }}, 0) as amount_{{ name }} {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ charges }} as charges
    inner join {{ prices }} as prices
        on charges.price_number = prices.price_number
    left join (
        select
            charge_number,
            part_number,
            divisor * small_divisor as amount_divisors,
            {{- sum_of_amounts('amount') }}
        from {{ amounts }}
        group by charge_number, part_number, divisor, small_divisor
    ) as sums
        on charges.charge_number = sums.charge_number
    where
        prices.commitment_amount is not null
        and (prices.priced_each != 'bucket' or sums.charge_number is not null)
{%- endmacro %}


{% macro _is_shared_commitment() -%}
    prices.prorated and prices.priced_each = 'period'
{%- endmacro %}


{% macro _sums_of_units(units) -%}
    select
        charge_number,
        minor_unit_digits,
        rounding,
        is_final,
        commitment_true_up,
        commitment_overage_factor,
        amount_divisors * commitment_of_days as all_divisors,
        {{- sum_of_amounts('over') }},
        {{- sum_of_amounts('short') }}
    from {{ units }} as units_compared
    group by 1, 2, 3, 4, 5, 6, 7
{%- endmacro %}


{#- The lines that these are: an overage costs the part of its factor beyond 1. -#}
{% macro commitment_lines(compared) -%}
    {%- set beyond = '(commitment_overage_factor - 1)' -%}
    {%- set factored = '(select *, ' ~ integer_of_decimal(beyond) ~ ' as _times, '
        ~ scale_of_decimal(beyond) ~ ' as _of from ' ~ compared ~ ' as all_compared)' -%}
    {%- set multiplied = '(select * replace (case when over_whole < ' ~ '1' ~ '0' * 24
        ~ ' then over_whole * _times end as over_whole, over_units * _times'
        ~ ' as over_units, over_rest * _times as over_rest) from ' ~ factored ~ ' as factored)' -%}
    {%- set carried = '(' ~ with_carry(multiplied, 'over', 'all_divisors') ~ ')' -%}
    {%- set divided = '(' ~ with_quotient(carried, 'over', 'all_divisors', '_of') ~ ')' -%}
    select
        charge_number,
        'overage' as kind,
        {{ ratio_text('over', 'all_divisors * _of') }} as amount_unrounded,
        {{ rounded_ratio('over', 'minor_unit_digits', 'rounding') }} as amount
    from ({{ with_carry(divided, 'over', '(all_divisors * _of)') }}) as overages
    union all
    select
        charge_number,
        'true_up' as kind,
        {{ ratio_text('short', 'all_divisors') }} as amount_unrounded,
        {{ rounded_ratio('short', 'minor_unit_digits', 'rounding') }} as amount
    from {{ compared }}
    where is_final and commitment_true_up
{%- endmacro %}
