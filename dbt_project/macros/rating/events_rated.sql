{#- Events that are priced alone, in order, with how much of each is free, whether it is
    charged, and what it costs in hundredths.

    parts  relation of `parts_to_price`, whose parts are events -#}
{% macro events_rated(parts) -%}
    select
        * exclude (amount_whole, amount_units, amount_rest),
        {%- for name in ('whole', 'units', 'rest') %}
        {{ _within_bounds(name) }} as amount_{{ name }} {{- ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            * replace (
                {{ amount_plus('amount', hundredths_whole('fixed_amount'),
                    hundredths_units('fixed_amount'), 'amount') }}
            )
        from (
            {{ with_product('(' ~ _events_with_free_part(parts) ~ ')', whole('charged_quantity'),
                fraction_units('charged_quantity', 18), 'charged_remainder', 'divisor',
                'rate_percent', 'amount') }}
        ) as events_with_product
    ) as events_with_amount
{%- endmacro %}


{#- An event that is free costs nothing. Any other costs at least and at most its bounds. -#}
{% macro _within_bounds(name) -%}
    {%- set amount = '(amount_whole, amount_units)' -%}
    case
        when not is_charged then 0
        {%- for bound, sign in (('maximum_per_event', '>='), ('minimum_per_event', '<')) %}
        when {{ bound }} is not null
            and {{ amount }} {{ sign }}
            ({{ hundredths_whole(bound) }}, {{ hundredths_units(bound) }})
            then {{ '0' if name == 'rest' else hundredths_whole(bound) if name == 'whole'
                else hundredths_units(bound) }}
        {%- endfor %}
        else amount_{{ name }}
    end
{%- endmacro %}


{% macro _events_with_free_part(parts) -%}
    {%- set held = '(' ~ _is_held() ~ ')' -%}
    {%- set in_part = held ~ ' and free_amount is not null and '
        ~ '(until_whole, until_units, until_rest) > (pot_whole, pot_units, 0)' -%}
    select
        *,
        not ({{ held }} and not ({{ in_part }})) as is_charged,
        case
            when {{ in_part }}
                then {{ total_above('until', 'pot') }}
            when {{ held }} then 0
            else quantity
        end as charged_quantity,
        case
            when {{ in_part }} then until_rest
            when {{ held }} then 0
            else remainder
        end as charged_remainder
    from (
        select
            *,
            row_number() over (partition by line_key order by part_number) as event_number,
            {{ whole('free_amount') }} as pot_whole,
            {{ fraction_units('free_amount', 18) }} as pot_units
        from (
            {{ with_running_total('(select * from ' ~ parts ~ ' as parts_of_all where is_event)',
                'line_key', 'part_number') }}
        ) as events_with_total
    ) as events_counted_up
{%- endmacro %}


{#- Whether the free terms of a charge still hold when an event comes. -#}
{% macro _is_held() -%}
    (free_events is not null or free_amount is not null)
    and (free_events is null or event_number <= free_events)
    and (
        free_amount is null
        or (before_whole, before_units, before_rest) < (pot_whole, pot_units, 0)
    )
{%- endmacro %}
