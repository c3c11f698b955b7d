{#- The tier that holds a part of the narrow road: with its units, or with those that are
    left beyond the tiers below, which are full (`is_graduated`). -#}
{% macro narrow_tier_held(parts, tiers, is_graduated) -%}
    select
        parts.line_key,
        {{ 'cast(parts.quantity - tiers.from_units as decimal(18, 6))' if is_graduated
            else 'parts.quantity' }} as units,
        tiers.tier_price,
        tiers.flat_amount,
        tiers.terms,
        {{ 'tiers.amount_below' if is_graduated else 'cast(0 as decimal(38, 21))' }}
            as amount_below,
        {{ 'tiers.tiers_below' if is_graduated else "''" }} as tiers_below,
        {{ 'tiers.tier_number' if is_graduated else '1' }} as tier_count
    from {{ parts }} as parts
    inner join ({{ _narrow_tiers_of_prices(tiers) }}) as tiers
        on parts.price_number = tiers.price_number
    where {{ is_held() }}
{%- endmacro %}


{#- The tiers of narrow prices, with what those below each come to where they are full. -#}
{% macro _narrow_tiers_of_prices(tiers) -%}
    {%- set below -%}
    over (
            partition by price_number order by from_units
            rows between unbounded preceding and 1 preceding
        )
    {%- endset -%}
    select
        price_number,
        from_units,
        up_to_units,
        tier_price,
        flat_amount,
        terms,
        row_number() over (partition by price_number order by from_units) as tier_number,
        coalesce(sum(amount) {{ below }}, 0) as amount_below,
        coalesce(string_agg(
            {{ tier_as_json('terms', decimal_text('units'), decimal_text('amount')) }} || ',', ''
        ) {{ below }}, '') as tiers_below
    from (
        select *, units * tier_price + flat_amount as amount
        from (
            select
                price_number,
                cast(round(from_units, 6) as decimal(18, 6)) as from_units,
                cast(round(up_to_units, 6) as decimal(18, 6)) as up_to_units,
                cast(round(up_to_units - from_units, 6) as decimal(18, 6)) as units,
                cast(unit_price as decimal(20, 15)) as tier_price,
                cast(flat_amount as decimal(38, 21)) as flat_amount,
                {{ tier_terms_as_json(
                    decimal_text('from_units'), decimal_text('up_to_units'),
                    decimal_text('unit_price'), decimal_text('flat_amount')
                ) }} as terms
            from {{ tiers }}
            where price_number in (
                select price_number
                from ({{ tiers_by_road(tiers) }}) as tiers_by_road
                where is_narrow
            )
        ) as narrow_tiers
    ) as full_tiers
{%- endmacro %}
