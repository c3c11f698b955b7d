{#- A charge model is a file of `charge_models`. It has one of these macros, which are called
    here by name:

    default__<name>_price_tiers(parts, tiers, cells)     the tiers that parts reach, with the
                                                         columns of `one_tier`
    default__<name>_price_amounts(parts, lines, events)  what lines come to without tiers:
                                                         line_key, part_number and the
                                                         columns of an amount

    With tiers, it may have one more, for lines of few digits (`narrow_road.sql`):

    default__<name>_narrow_tier(parts, tiers)            the tier that holds each part, with
                                                         the columns of `narrow_tier_held` -#}

{#- The tiers of all parts of lines that take the wide road. -#}
{% macro tiers_of_all_models(parts, tiers, cells) -%}
    {%- set names, queries = [], [] -%}
    {%- do models_with('_price_tiers', names) -%}
    {%- set find = adapter.dispatch -%}
    {%- for name in names -%}
        {%- set own = '(select * from ' ~ parts ~ ' as parts_of_all'
            ~ ' where charge_model = ' ~ sql_text(name) ~ ' and narrow_quantity is null)' -%}
        {%- do queries.append(find(name ~ '_price_tiers')(own, tiers, cells)) -%}
    {%- endfor -%}
    {{ queries | join('\nunion all\n') }}
{%- endmacro %}


{#- The amounts of all tiers, and of lines whose model has none; null for a part that is too
    large. -#}
{% macro amounts_of_all_models(parts, lines, tiers, events=none) -%}
    {%- set names, queries = [], [] -%}
    {%- do queries.append('select line_key, part_number, amount_whole, amount_units, amount_rest
    from ' ~ tiers) -%}
    {%- do queries.append('select line_key, part_number, null, null, null
    from ' ~ parts ~ ' where quantity is null') -%}
    {%- do models_with('_price_amounts', names) -%}
    {%- set find = adapter.dispatch -%}
    {%- for name in names -%}
        {%- do queries.append(find(name ~ '_price_amounts')(parts, lines, events)) -%}
    {%- endfor -%}
    {{ queries | join('\nunion all\n') }}
{%- endmacro %}


{#- Adds to a list the charge models that have a macro of this kind. -#}
{% macro models_with(part, names) -%}
    {%- for macro_name in context | sort if macro_name.endswith(part) -%}
        {%- do names.append(macro_name[:-(part | length)].split('__')[-1]) -%}
    {%- endfor -%}
{%- endmacro %}
