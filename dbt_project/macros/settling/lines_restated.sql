{#- What lists of parts of a line add up to. -#}
{% macro sum_of_parts(parts) -%}
    coalesce(list_sum(list_transform({{ parts }}, lambda part: part['minor'])), 0)
{%- endmacro %}


{#- What 100 percent and the rates come to. -#}
{% macro gross_of_one() -%} ({{ '1' ~ '0' * 17 }} + rates) {%- endmacro %}


{#- Lines with their taxes, and with their discounts without tax: rounded once for a line,
    and allocated to the discounts that fell on it. -#}
{% macro lines_restated(lines, taxes) -%}
    select
        * exclude (rates, rounding, gross, grosses) replace (
            case
                when coalesce(gross, 0) = 0 or rates is null then discount_parts
                else {{ with_value(
                    'minors',
                    with_value(
                        'whole',
                        rounded_product('gross', '1' ~ '0' * 17, gross_of_one()),
                        allocated('whole', 'grosses', 'abs(gross)')
                    ),
                    "list_transform(discount_parts, lambda part, place: struct_pack("
                        ~ "discount_number := part['discount_number'], "
                        ~ "gross_minor := part['gross_minor'], minor := minors[place]))"
                ) }}
            end as discount_parts
        )
    from (
        select
            lines.*,
            taxes.rates,
            taxes.rounding,
            list_sum(list_transform(
                lines.discount_parts, lambda part: part['gross_minor']
            )) as gross,
            list_transform(
                lines.discount_parts, lambda part: abs(part['gross_minor'])
            ) as grosses,
            coalesce(taxes.tax_parts, cast([] as {{ tax_parts_type() }})) as tax_parts
        from {{ lines }} as lines
        left join {{ taxes }} as taxes
            on
                lines.invoice_key = taxes.invoice_key
                and lines.line_number = taxes.line_number
    ) as lines_with_taxes
{%- endmacro %}
