{#- Each unit at the price of its group's cell, or else of the charge. The cell counts that
    fixes the most properties; the catalog has no two of them that tie. -#}
{% macro duckdb__matrix_price_tiers(parts, tiers, cells) -%}
    {%- set priced -%}
    (
        select
            parts.* replace (coalesce(best_cells.unit_price, parts.unit_price) as unit_price)
        from {{ parts }} as parts
        left join (
            select
                groups.price_number,
                groups.group_key,
                arg_max(cells.unit_price, len(cells.properties)) as unit_price
            from (
                select distinct
                    price_number,
                    group_key,
                    {{ properties_of_group('group_key') }} as texts
                from {{ parts }}
            ) as groups
            inner join {{ cells }} as cells
                on groups.price_number = cells.price_number
            where
                {{ cell_matches('cells.properties', 'cells.texts', 'groups.texts') }}
            group by groups.price_number, groups.group_key
        ) as best_cells
            on
                parts.price_number = best_cells.price_number
                and parts.group_key = best_cells.group_key
    )
    {%- endset -%}
    {{ one_tier(priced, 'unit_price', 'quantity', 'remainder') }}
{%- endmacro %}
