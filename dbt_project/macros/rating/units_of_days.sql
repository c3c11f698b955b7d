{#- How units are written by day: of each day from the first on, between commas, and nothing
    for a day that has no time. -#}

{#- One row per key, with its days and the units of each as lists: shares, and one unit each
    of what is left to the greatest remainders, the earliest day first. -#}
{% macro allocated_by_remainder(shares, key) -%}
    {%- set window = 'over (partition by ' ~ key ~ ' order by share_rest desc, day_number'
        ~ ' rows between unbounded preceding and unbounded following)' -%}
    select
        {{ key }},
        list(day_number) as day_numbers,
        list(units) as units
    from (
        select
            {{ key }},
            day_number,
            share + case
                when row_number() {{ window }} <= net_units - sum(share) {{ window }} then 1
                else 0
            end as units
        from {{ shares }}
    ) as allocated
    group by {{ key }}
{%- endmacro %}


{#- The units of each of these days, 0 where `allocated` has none; null without it. -#}
{% macro units_on_days(days, allocated) -%}
    case
        when {{ allocated }}.units is not null
            then list_transform(
                {{ days }},
                lambda day: coalesce(
                    {{ allocated }}.units[list_position({{ allocated }}.day_numbers, day)], 0
                )
            )
    end
{%- endmacro %}


{#- Units spread over days alike: cut down, and one each of what is left to the earliest. -#}
{% macro units_alike(units, days) -%}
    {%- set number = 'len(' ~ days ~ ')' -%}
    {%- set share = '(' ~ quotient(units, number) ~ ' - case when ' ~ units ~ ' % ' ~ number
        ~ ' < 0 then 1 else 0 end)' -%}
    list_transform(
        range(1, {{ number }} + 1),
        lambda place: {{ share }} + case
            when place <= {{ units }} - {{ share }} * {{ number }} then 1
            else 0
        end
    )
{%- endmacro %}


{#- The text of units of these days. -#}
{% macro text_of_units(units, days) -%}
    case
        when {{ days }}[-1] - {{ days }}[1] = len({{ days }}) - 1
            then array_to_string({{ units }}, ',')
        else array_to_string(
            list_transform(
                range({{ days }}[1], {{ days }}[-1] + 1),
                lambda day: coalesce(
                    cast({{ units }}[list_position({{ days }}, cast(day as integer))] as varchar),
                    ''
                )
            ),
            ','
        )
    end
{%- endmacro %}


{#- The units of such a text, as a list. -#}
{% macro units_of_text(text) -%}
    list_transform(
        string_split({{ text }}, ','),
        lambda unit: cast(nullif(unit, '') as {{ wide_integer() }})
    )
{%- endmacro %}
