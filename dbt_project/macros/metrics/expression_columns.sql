{#- The columns of each kind of step; `plan_expression` says what they are. -#}

{% macro _property_columns(step, name) -%}
    properties[{{ sql_text(name) }}] as _{{ step }}_t,
    case
        when properties[{{ sql_text(name) }}] is null then 'missing_property'
    end as _{{ step }}_r
{%- endmacro %}


{% macro _text_columns(step, text) -%}
    {{ sql_text(text) }} as _{{ step }}_t,
    cast(null as varchar) as _{{ step }}_r
{%- endmacro %}


{#- Of several reasons an absent property is told first. -#}
{% macro _first_reason(parts) -%}
    case
        when
            {%- for part in parts %}
            {{ 'or ' if not loop.first }}_{{ part }}_r = 'missing_property'
            {%- endfor %}
            then 'missing_property'
        else coalesce(
            {%- for part in parts -%}
            _{{ part }}_r{{ ', ' if not loop.last }}
            {%- endfor -%}
            , null)
    end
{%- endmacro %}


{% macro _coalesce_columns(step, parts) -%}
    {%- for column in ('t', 'r') %}
    case
        {%- for part in parts %}
        when _{{ part }}_r is distinct from 'missing_property'
            then _{{ part }}_{{ column }}
        {%- endfor %}
        {%- if column == 'r' %}
        else 'missing_property'
        {%- endif %}
    end as _{{ step }}_{{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{% macro _concat_columns(step, parts) -%}
    {% for part in parts %}_{{ part }}_t{{ ' || ' if not loop.last }}{% endfor %} as _{{ step }}_t,
    {{ _first_reason(parts) }} as _{{ step }}_r
{%- endmacro %}


{#- Columns e and r of a step whose m is null where 38 digits do not hold it;
    `places` says how many digits then stand before its point. -#}
{% macro _reason_column(step, parts, places) -%}
    coalesce(
        {{ _first_reason(parts) }},
        case
            when _{{ step }}_m is not null then null
            when {{ places }} > 20 then 'too_large'
            else 'too_precise'
        end
    ) as _{{ step }}_r
{%- endmacro %}


{% macro _places(of) -%}
    (length(cast(abs(_{{ of }}_m) as varchar)) - _{{ of }}_e)
{%- endmacro %}


{% macro _sum_columns(step, parts, signs) -%}
    {%- set e -%}
    {%- if parts | length == 1 -%} _{{ parts[0] }}_e
    {%- else -%} greatest(_{{ parts[0] }}_e, _{{ parts[1] }}_e) {%- endif -%}
    {%- endset -%}
    {%- set sum -%}
    {%- for part in parts -%}
        {{ ' + ' if not loop.first }}
        {{- '-' if signs[loop.index0] == -1 }}(case
            when _{{ part }}_m = 0 then 0
            else _{{ part }}_m * {{ power_of_ten('(' ~ e ~ ' - _' ~ part ~ '_e)') }}
        end)
    {%- endfor -%}
    {%- endset -%}
    {{ attempt(sum) }} as _{{ step }}_m,
    {{ e }} as _{{ step }}_e,
    {{ _reason_column(step, parts,
        'greatest(' ~ _places(parts[0]) ~ ', ' ~ _places(parts[-1]) ~ ')') }}
{%- endmacro %}
