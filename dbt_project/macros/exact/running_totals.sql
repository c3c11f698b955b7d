{#- A relation with the total of its quantities up to each row, in `until_…`, and before it,
    in `before_…`: before the point, in 10^-18, and in parts of these, of which `divisor`
    make one. Such totals compare as they stand, and no number of rows overflows them.

    relation   with the columns quantity, remainder and divisor
    partition  column by which totals begin anew
    order      columns -#}
{% macro with_running_total(relation, partition, order) -%}
    {%- set one = '1' ~ '0' * 18 -%}
    {%- set until = 'over (partition by ' ~ partition ~ ' order by ' ~ order ~ ')' -%}
    select
        *,
        {%- for name in ('whole', 'units', 'rest') %}
        lag(until_{{ name }}, 1, cast(0 as {{ wide_integer() }})) {{ until }}
            as before_{{ name }} {{- ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            * replace (
                until_whole + {{ quotient('until_units', one) }} as until_whole,
                until_units % {{ one }} as until_units
            )
        from (
            select
                * replace (
                    until_units + {{ quotient('until_rest', 'divisor') }} as until_units,
                    until_rest % divisor as until_rest
                )
            from (
                select
                    *,
                    {%- for name, units in {
                        'whole': whole('quantity'),
                        'units': fraction_units('quantity', 18),
                        'rest': 'remainder',
                    }.items() %}
                    cast(sum({{ units }}) {{ until }} as {{ wide_integer() }})
                        as until_{{ name }} {{- ',' if not loop.last }}
                    {%- endfor %}
                from {{ relation }}
            ) as counted_up
        ) as rests_carried
    ) as units_carried
{%- endmacro %}


{#- What such a total is above another that has no parts of 10^-18, as a quantity. -#}
{% macro total_above(total, other) -%}
    {{ attempt(quantity_of('((' ~ total ~ '_whole - ' ~ other ~ '_whole) * ' ~ '1' ~ '0' * 18
        ~ ' + ' ~ total ~ '_units - ' ~ other ~ '_units)')) }}
{%- endmacro %}
