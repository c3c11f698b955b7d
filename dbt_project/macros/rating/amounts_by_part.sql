{#- What lines and their parts come to, one row per line and part: `amount_…` of which the
    rest counts parts of divisor and small divisor. What is not priced by buckets is part 0.

    lines    relation of `lines_with_terms`
    parts    relation of `parts_to_price`
    amounts  relation of amounts, with line_key and part_number -#}
{% macro amounts_by_part(lines, parts, amounts) -%}
    {%- set summed -%}
    (
        select
            lines.line_key,
            lines.charge_number,
            lines.divisor,
            lines.small_divisor,
            line_parts.part_number,
            bool_or(amounts.line_key is not null and amounts.amount_whole is null)
                as is_beyond,
            {{- sum_of_amounts('amount', 'amounts') }}
        from {{ lines }} as lines
        inner join (
            select line_key, cast(0 as bigint) as part_number
            from {{ wide_lines(lines, parts) }} as lines_not_narrow
            where priced_each != 'bucket'
            union all
            select line_key, part_number
            from {{ parts }}
            where priced_each = 'bucket'
        ) as line_parts
            on lines.line_key = line_parts.line_key
        {#- By equality alone: with a condition on both, each would be compared with each. #}
        left join (
            select
                amounts.line_key,
                case when lines.priced_each = 'bucket' then amounts.part_number else 0 end
                    as part_number,
                amounts.amount_whole,
                amounts.amount_units,
                amounts.amount_rest
            from {{ amounts }} as amounts
            inner join {{ lines }} as lines
                on amounts.line_key = lines.line_key
        ) as amounts
            on
                line_parts.line_key = amounts.line_key
                and line_parts.part_number = amounts.part_number
        group by 1, 2, 3, 4, 5
    )
    {%- endset -%}
    {{ with_quotient('(' ~ with_carry(summed, 'amount', 'divisor') ~ ')', 'amount', 'divisor',
        'small_divisor') }}
{%- endmacro %}
