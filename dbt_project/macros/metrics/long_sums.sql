{#- A sum of many terms as one step over a list, because a step a term takes a query
    seconds to plan. `terms` lists {sign, step, is_text}. -#}
{% macro long_sum_columns(step, terms) -%}
    {{ adapter.dispatch('long_sum_columns')(step, terms) }}
{%- endmacro %}

{% macro duckdb__long_sum_columns(step, terms) -%}
    {%- set texts, numbers = [], [] -%}
    {%- for term in terms -%}
        {%- if term.is_text -%}
            {%- do texts.append('struct_pack(t := _' ~ term.step ~ '_t, r := _' ~ term.step
                ~ '_r, sign := ' ~ term.sign ~ ')') -%}
        {%- else -%}
            {%- do numbers.append('struct_pack(m := ' ~ term.sign ~ ' * _' ~ term.step
                ~ '_m, e := cast(_' ~ term.step ~ '_e as bigint), r := _' ~ term.step
                ~ '_r)') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set own = '_' ~ step -%}
    list_transform(
        cast([{{ texts | join(', ') }}] as struct(t varchar, r varchar, sign integer)[]),
        lambda x: struct_pack(
            t := x.t,
            r := x.r,
            sign := x.sign,
            s := {{ _digits('x.t') }},
            p := {{ _digit_places('x.t') }}
        )
    ) as {{ own }}_s
    ---
    list_concat(
        list_transform(
            {{ own }}_s,
            lambda x: struct_pack(
                m := x.sign * {{ _number_m('x.t', 'x.s', 'x.p') }},
                e := cast({{ _number_e('x.s', 'x.p') }} as bigint),
                r := {{ _number_r('x.r', 'x.s', 'x.p',
                    '(' ~ _number_m('x.t', 'x.s', 'x.p') ~ ')') }}
            )
        ),
        cast([{{ numbers | join(', ') }}] as struct(m hugeint, e bigint, r varchar)[])
    ) as {{ own }}_n
    ---
    list_max(list_transform({{ own }}_n, lambda x: x.e)) as {{ own }}_e,
    list_max(
        list_transform(
            {{ own }}_n, lambda x: length(cast(abs(x.m) as varchar)) - x.e
        )
    ) as {{ own }}_p
    ---
    list_transform(
        {{ own }}_n,
        lambda x: case
            when x.m = 0 then 0
            else try(x.m * {{ power_of_ten('(' ~ own ~ '_e - x.e)') }})
        end
    ) as {{ own }}_x
    ---
    case
        when len(list_filter({{ own }}_x, lambda x: x is null)) = 0
            then try(list_sum({{ own }}_x))
    end as {{ own }}_m,
    coalesce(
        case
            when len(
                list_filter({{ own }}_n, lambda x: x.r = 'missing_property')
            ) > 0 then 'missing_property'
        end,
        list_filter({{ own }}_n, lambda x: x.r is not null)[1].r,
        case
            when {{ own }}_m is not null then null
            when {{ own }}_p > 20 then 'too_large'
            else 'too_precise'
        end
    ) as {{ own }}_r
{%- endmacro %}
