{#- Days of lines with the part that each has of the whole: of the usage of the line, or one
    of its days. Usage counts where it is all that the line billed, no day is below 0 and the
    division has at most 27 digits. -#}
{% macro parts_of_days(days, usage) -%}
    {%- set most = '1' ~ '0' * 27 -%}
    select
        line_id,
        day_number,
        unit_digits,
        net_units,
        is_by_usage,
        case when is_by_usage then usage_part else 1 end as part,
        case
            when is_by_usage then sum(usage_part) over (partition by line_id)
            else count(*) over (partition by line_id)
        end as whole
    from (
        select
            days.*,
            coalesce(
                usage_per_line.line_quantity = days.line_quantity
                and usage_per_line.line_quantity > 0
                and usage_per_line.least_units >= 0
                and {{ quotient(units_of('usage_per_line.line_quantity', 18),
                    'usage_per_line.unit_size') }} < {{ most }}
                and abs(days.net_units) < {{ most }},
                false
            ) as is_by_usage,
            coalesce({{ quotient('usage_of_days.units', 'usage_per_line.unit_size') }}, 0)
                as usage_part
        from {{ days }} as days
        left join (
            select
                line_id,
                max(line_quantity) as line_quantity,
                min(units) as least_units,
                case
                    {%- for zeros in (18, 9) %}
                    when bool_and(units % {{ '1' ~ '0' * zeros }} = 0)
                        then {{ '1' ~ '0' * zeros }}
                    {%- endfor %}
                    else 1
                end as unit_size
            from {{ usage }}
            group by line_id
        ) as usage_per_line
            on days.line_id = usage_per_line.line_id
        left join {{ usage }} as usage_of_days
            on
                days.line_id = usage_of_days.line_id
                and days.day_number = usage_of_days.day_number
    ) as days_of_lines
{%- endmacro %}
