{#- Tiers with what they cost: columns `amount_…` of `with_product`, in hundredths where
    the price is a percentage. A part that is too large has none. -#}
{% macro tiers_rated(tiers_of_parts) -%}
    {%- set flat = [hundredths_whole('flat_amount'), hundredths_units('flat_amount')] -%}
    {%- set most = [hundredths_whole('maximum_amount'), hundredths_units('maximum_amount')] -%}
    {%- set is_capped -%}
    maximum_amount is not null
            and (_whole, _units) >= ({{ most[0] }}, {{ most[1] }})
    {%- endset -%}
    select
        * exclude (_whole, _units, amount_whole, amount_units, amount_rest),
        {{ bounded(is_capped, most[0], '_whole') }} as amount_whole,
        {{ bounded(is_capped, most[1], '_units') }} as amount_units,
        {{ bounded(is_capped, '0', 'amount_rest') }} as amount_rest
    from (
        select
            *,
            {{ amount_plus('amount', flat[0], flat[1], '') }}
        from (
            {{ with_product(tiers_of_parts, 'units_whole', 'units_fraction', 'units_remainder',
                'divisor', 'price', 'amount') }}
        ) as tiers_with_product
    ) as tiers_with_flat
{%- endmacro %}


{#- An amount of a catalog in hundredths where they count: what it has before the point,
    and after it in 10^-33. -#}
{% macro hundredths_whole(amount) -%}
    ({{ whole(amount) }} * hundredths + {{ quotient(
        '(' ~ fraction_units(amount, 15) ~ ' * hundredths)', '1' ~ '0' * 15
    ) }})
{%- endmacro %}


{% macro hundredths_units(amount) -%}
    (
        {{ fraction_units(amount, 15) }} * hundredths % {{ '1' ~ '0' * 15 }}
        * {{ '1' ~ '0' * 18 }}
    )
{%- endmacro %}


{% macro bounded(condition, bound, value) -%}
    case when {{ condition }} then {{ bound }} else {{ value }} end
{%- endmacro %}
