{#- What is priced, as relations. See `pipelines/warehouse/rating.py` for the tables that
    are given: prices, tiers, cells, charges, lines, buckets, events and discounts. -#}

{#- Prices with their divisor as integers: 0.001 is 1 of the scale 1000. A percentage is
    counted in hundredths. -#}
{% macro price_terms(prices) -%}
    select
        *,
        {{ integer_of_decimal('unit_divisor') }} as divisor,
        {{ scale_of_decimal('unit_divisor') }} as divisor_scale,
        case when charge_model in ('percentage', 'graduated_percentage') then 100 else 1 end
            as hundredths
    from {{ prices }}
{%- endmacro %}


{#- The parts of lines that are priced alone, each with its quantity as counted: the whole
    line, each of its buckets, or each of its events. -#}
{% macro parts_counted(lines, charges, prices, buckets=none, events=none) -%}
    {%- set with_price = 'inner join ' ~ charges ~ ' as charges
        on given.charge_number = charges.charge_number
    inner join ' ~ prices ~ ' as prices
        on charges.price_number = prices.price_number' -%}
    select
        given.line_key,
        cast(0 as bigint) as part_number,
        false as is_event,
        given.charge_number,
        charges.price_number,
        greatest(given.quantity, 0) as counted
    from {{ lines }} as given
    {{ with_price }}
    where
        prices.charge_model != 'flat'
        and prices.priced_each != 'bucket'
        and not {{ is_by_event('prices') }}
    {%- for relation, number, value, condition in [
        (buckets, 'bucket_number', 'quantity', "prices.priced_each = 'bucket'"),
        (events, 'position', 'value', is_by_event('prices')),
    ] if relation is not none %}
    union all
    select
        given.line_key,
        parts.{{ number }} as part_number,
        {{ 'true' if number == 'position' else 'false' }} as is_event,
        given.charge_number,
        charges.price_number,
        greatest(parts.{{ value }}, 0) as counted
    from {{ relation }} as parts
    inner join {{ lines }} as given
        on parts.line_key = given.line_key
    {{ with_price }}
    where {{ condition }}
    {%- endfor %}
{%- endmacro %}


{#- Whether each event is priced alone. A total will do where all events have one rate. -#}
{% macro is_by_event(prices) -%}
    (
        {{ prices }}.charge_model = 'percentage' and (
            {{ prices }}.free_events is not null
            or {{ prices }}.free_amount is not null
            or {{ prices }}.minimum_per_event is not null
            or {{ prices }}.maximum_per_event is not null
        )
    )
{%- endmacro %}
