{#- A grouping as one text: its names, what stands for a missing property, and the
    conditions that usage must meet. -#}
{% macro grouping_key(names, missing=none, conditions=none) -%}
    cast(to_json({{ names }}) as varchar)
    {%- if missing is not none %}
    || coalesce(' missing ' || cast(to_json({{ missing }}) as varchar), '')
    || case
        when len({{ conditions }}) > 0
            then ' where ' || cast(to_json({{ conditions }}) as varchar)
        else ''
    end
    {%- endif -%}
{%- endmacro %}


{#- The group by which a charge asks for usage of a group that is kept: by names of its own,
    and with a value for a missing property. -#}
{% macro asked_group_key(key, kept, asked, names, missing) -%}
    case
        when {{ asked }} != {{ kept }}
            then {{ adapter.dispatch('coarser_group_key')(key, names, missing) }}
        else {{ key }}
    end
{%- endmacro %}

{% macro duckdb__coarser_group_key(key, names, missing) -%}
    {%- set text -%}
    coalesce({{ properties_of_group(key) }}[name], {{ missing }})
    {%- endset -%}
    {{ json_object_by_name(names, "coalesce(cast(to_json(" ~ text ~ ") as varchar), 'null')") }}
{%- endmacro %}


{#- Charges of one metric in a period, as a list of structs. -#}
{% macro charges_as_list() -%}
    {{ adapter.dispatch('charges_as_list')() }}
{%- endmacro %}

{% macro duckdb__charges_as_list() -%}
    list(
        struct_pack(
            charge_code := charge_code,
            has_started := has_started,
            grouping_key := {{ grouping_key('group_by', 'missing_dimension', 'conditions') }},
            group_by := group_by,
            missing_dimension := missing_dimension,
            conditions := conditions,
            cells := cells
        )
        order by charge_code
    )
{%- endmacro %}


{#- The one of such charges that takes usage of these properties, a map of texts. -#}
{% macro charge_taking(charges, properties) -%}
    {{ adapter.dispatch('charge_taking')(charges, properties) }}
{%- endmacro %}

{% macro duckdb__charge_taking(charges, properties) -%}
    list_filter(
        {{ charges }},
        lambda charge: {{ conditions_hold('charge.conditions', properties) }}
    )[1]
{%- endmacro %}


{#- The one of such charges that takes usage: it asks for the grouping that the usage is kept
    by, or takes its group, which is then of the finest. -#}
{% macro charge_of_usage(charges, usage, finest) -%}
    {{ adapter.dispatch('charge_of_usage')(charges, usage, finest) }}
{%- endmacro %}

{% macro duckdb__charge_of_usage(charges, usage, finest) -%}
    case
        when {{ usage }}.grouping_key = {{ finest }}
            then {{ charge_taking(charges, properties_of_group(usage ~ '.group_key')) }}
        else list_filter(
            {{ charges }}, lambda charge: charge.grouping_key = {{ usage }}.grouping_key
        )[1]
    end
{%- endmacro %}


{#- The cells of a price version, as a list of structs; empty without any. -#}
{% macro cells_as_list(cells) -%}
    {{ adapter.dispatch('cells_as_list')(cells) }}
{%- endmacro %}

{% macro duckdb__cells_as_list(cells) -%}
    coalesce(
        list(
            struct_pack(properties := {{ cells }}.properties, texts := {{ cells }}.texts)
        ) filter ({{ cells }}.properties is not null),
        []
    )
{%- endmacro %}


{#- Whether a group has a price: any has, or a cell matches it. -#}
{% macro has_price(cells, key) -%}
    {{ adapter.dispatch('has_price')(cells, key) }}
{%- endmacro %}

{% macro duckdb__has_price(cells, key) -%}
    (
        {{ cells }} is null
        or len(list_filter(
            {{ cells }},
            lambda cell: {{ cell_matches("cell['properties']", "cell['texts']",
                properties_of_group(key)) }}
        )) > 0
    )
{%- endmacro %}


{#- Whether a group, a map of texts, has all texts that a cell fixes. -#}
{% macro cell_matches(properties, texts, group) -%}
    {{ adapter.dispatch('cell_matches')(properties, texts, group) }}
{%- endmacro %}

{% macro duckdb__cell_matches(properties, texts, group) -%}
    len(list_filter(
        list_zip({{ properties }}, {{ texts }}),
        lambda fixed: {{ group }}[fixed[1]] is distinct from fixed[2]
    )) = 0
{%- endmacro %}
