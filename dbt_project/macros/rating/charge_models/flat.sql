{#- A fee for each unit and full period, or for the part of it that the service lasts. The
    days multiply it here; the days of the full period divide it with all other quotients. -#}
{% macro default__flat_price_amounts(parts, lines, events) -%}
    select
        line_key,
        cast(0 as bigint) as part_number,
        amount_whole * fee_days + {{ quotient('(amount_units * fee_days)', '1' ~ '0' * 33) }}
            as amount_whole,
        amount_units * fee_days % {{ '1' ~ '0' * 33 }} as amount_units,
        amount_rest
    from (
        {{ with_product(
            '(select * from ' ~ lines ~ " as lines_of_all where charge_model = 'flat')",
            whole('fee_quantity'), fraction_units('fee_quantity', 18), '0', '1', 'fee', 'amount'
        ) }}
    ) as fees
{%- endmacro %}
