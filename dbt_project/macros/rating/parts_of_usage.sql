{#- Days of lines that go by usage, with the part that each has of the usage of its line.
    Usage counts where it is all that the line billed, no day is below 0, and the division has
    at most 27 digits. Whole numbers whose products are small are narrow; others count the
    largest of 1, 10^-9 and 10^-18 that they are whole numbers of. -#}
{% macro parts_of_usage(lines, usage) -%}
    {%- set most = '1' ~ '0' * 27 -%}
    {%- set size = 'lines_by_usage.unit_size' -%}
    select
        lines_by_usage.line_key,
        usage_of_days.day_number,
        lines_by_usage.net_units,
        case when is_narrow then usage_of_days.narrow_quantity end as narrow_part,
        case when is_narrow then cast(lines_by_usage.narrow_quantity as bigint) end
            as narrow_whole,
        {%- for name, relation in [('part', 'usage_of_days'), ('whole', 'lines_by_usage')] %}
        {%- set wide = 'case when not is_narrow then ' ~ relation ~ '.quantity end' %}
        {{ quotient(units_of('(' ~ wide ~ ')', 18), size) }} as {{ name }} {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ usage }} as usage_of_days
    inner join (
        select
            usage_per_line.*,
            lines.net_units,
            coalesce(
                usage_per_line.narrow_quantity < {{ '1' ~ '0' * 18 }}
                and abs(lines.net_units) < {{ '1' ~ '0' * 18 }}
                and usage_per_line.narrow_quantity * abs(lines.net_units) < {{ '1' ~ '0' * 18 }},
                false
            ) as is_narrow
        from (
            select
                line_key,
                sum(quantity) as quantity,
                min(quantity) as least_quantity,
                max(line_quantity) as line_quantity,
                case when bool_and(narrow_quantity is not null) then sum(narrow_quantity) end
                    as narrow_quantity,
                case
                    when bool_and(narrow_quantity is not null) then {{ '1' ~ '0' * 18 }}
                    when bool_and(
                        case when narrow_quantity is null then quantity = round(quantity, 9) end
                    ) then {{ '1' ~ '0' * 9 }}
                    else 1
                end as unit_size
            from {{ usage }}
            group by line_key
        ) as usage_per_line
        inner join {{ lines }} as lines
            on usage_per_line.line_key = lines.line_key
        where
            usage_per_line.line_quantity = lines.line_quantity
            and usage_per_line.quantity > 0
            and usage_per_line.least_quantity >= 0
            and {{ quotient(units_of('usage_per_line.quantity', 18), 'usage_per_line.unit_size') }}
            < {{ most }}
            and abs(lines.net_units) < {{ most }}
    ) as lines_by_usage
        on usage_of_days.line_key = lines_by_usage.line_key
{%- endmacro %}
