{#- The narrow road: what most lines are, priced in decimals that an engine multiplies in one
    step. What lies below the tier that holds a quantity comes to the same for every line of
    a price, so it is worked out once a price, and a line is one product. Everything else
    takes the wide road; the line does not say which. -#}

{#- Parts with `narrow_quantity`, null where they need the wide road.

    parts   relation of `parts_to_price`
    prices  relation of `price_terms`
    tiers   relation of tiers, as given -#}
{% macro parts_by_road(parts, prices, tiers) -%}
    select
        * exclude (_rounded, _is_narrow),
        case
            when _is_narrow and remainder = 0
                and {{ is_narrow_quantity('quantity', '_rounded') }}
                then cast(_rounded as decimal(18, 6))
        end as narrow_quantity
    from (
        select
            parts.*,
            {{ rounded_to_narrow('parts.quantity') }} as _rounded,
            roads.is_narrow as _is_narrow
        from {{ parts }} as parts
        inner join ({{ _prices_by_road(prices, tiers) }}) as roads
            on parts.price_number = roads.price_number
    ) as parts_rounded
{%- endmacro %}


{#- The highest price and all flat amounts together are less than this, so that 10^12 units
    come to less than 10^17. -#}
{% macro _prices_below() -%} 100000 {%- endmacro %}


{% macro _prices_by_road(prices, tiers) -%}
    {%- set names, texts = [], [] -%}
    {%- do models_with('_narrow_tier', names) -%}
    {%- for name in names %} {%- do texts.append(sql_text(name)) -%} {% endfor -%}
    select
        prices.price_number,
        prices.charge_model in ({{ texts | join(', ') }})
        and prices.priced_each = 'period'
        and prices.commitment_amount is null
        and coalesce(prices.unit_price, 0) < {{ _prices_below() }}
        and coalesce(narrow_tiers.is_narrow, true) as is_narrow
    from {{ prices }} as prices
    left join ({{ tiers_by_road(tiers) }}) as narrow_tiers
        on prices.price_number = narrow_tiers.price_number
{%- endmacro %}


{#- Which prices have narrow tiers. -#}
{% macro tiers_by_road(tiers) -%}
    select
        price_number,
        bool_and(
            package_size is null
            and maximum_amount is null
            {%- for bound in ('from_units', 'up_to_units') %}
            and coalesce({{ is_narrow_quantity(bound, rounded_to_narrow(bound)) }}, true)
            {%- endfor %}
        )
        and coalesce(max(unit_price), 0) + sum(flat_amount) < {{ _prices_below() }}
        {#- Each tier keeps the JSON of those below it. #}
        and count(*) <= 100
            as is_narrow
    from {{ tiers }}
    group by price_number
{%- endmacro %}


{#- What lines of the narrow road come to, one row per line with a tier.

    parts  relation of `parts_by_road`
    tiers  relation of tiers, as given -#}
{% macro narrow_lines(parts, tiers) -%}
    {%- set names, queries = [], [] -%}
    {%- do models_with('_narrow_tier', names) -%}
    {%- set find = adapter.dispatch -%}
    {%- for name in names -%}
        {%- set own -%}
        (
            select * replace (narrow_quantity as quantity)
            from {{ parts }} as parts_of_all
            where charge_model = {{ sql_text(name) }} and narrow_quantity is not null
        )
        {%- endset -%}
        {%- do queries.append(find(name ~ '_narrow_tier')(own, tiers)) -%}
    {%- endfor -%}
    select
        line_key,
        tier_count,
        tier_price,
        amount_below + amount as amount,
        '[' || tiers_below || {{ tier_as_json(
            'terms', decimal_text('units'), decimal_text('amount')
        ) }} || ']' as tiers
    from (
        select *, units * tier_price + flat_amount as amount
        from (
            {{ queries | join('\nunion all\n') }}
        ) as tiers_of_lines
    ) as tiers_priced
{%- endmacro %}


{#- Parts as a single open tier, which is not reached without units. -#}
{% macro narrow_open_tier(parts) -%}
    select
        line_key,
        quantity as units,
        cast(unit_price as decimal(20, 15)) as tier_price,
        cast(0 as decimal(38, 21)) as flat_amount,
        {{ tier_terms_as_json("'0'", 'null', decimal_text('unit_price'), "'0'") }} as terms,
        cast(0 as decimal(38, 21)) as amount_below,
        '' as tiers_below,
        1 as tier_count
    from {{ parts }} as parts
    where quantity > 0
{%- endmacro %}
