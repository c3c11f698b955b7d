{#- Columns that several aggregations have. -#}

{#- The last value by position, and its position. -#}
{% macro last_value(value='value', at=none) -%}
    {%- set at = at or position('occurred_at', 'file_id', 'line') -%}
    max_by({{ value }}, {{ at }}) as last_value,
    max({{ at }}) as last_position
{%- endmacro %}


{#- How many values there are up to each, and in all. -#}
{% macro running_counts(value, count, partition) -%}
    sum({{ count }}) over (partition by {{ partition }} order by {{ value }})
        as running_count,
    sum({{ count }}) over (partition by {{ partition }}) as all_count
{%- endmacro %}


{#- The least of the values up to which so many percent of all are. -#}
{% macro value_at_rank(value, percentile) -%}
    {%- set digits = (percentile | string).split('.') + [''] -%}
    min({{ value }}) filter (
        where running_count * 100{{ '0' * (digits[1] | length) }}
        >= all_count * {{ (digits[0] ~ digits[1]) | int }}
    )
{%- endmacro %}


{#- whole + units / 10^18, divided by a positive divisor, half away from zero at 18
    digits; null beyond what a quantity holds. All are integers. The quotient and the rest
    of each division are those of numbers that go down, so that they fit together. -#}
{% macro div_exact(whole, units, divisor) -%}
    {#- A quotient far beyond a quantity is null from here on, and overflows nowhere. -#}
    {%- set whole = '(case when abs(' ~ whole ~ ') < ' ~ divisor
        ~ ' * 120000000000000000000 then ' ~ whole ~ ' end)' -%}
    {%- set rest = _rest_down(whole, divisor) -%}
    {%- set inner = '(' ~ rest ~ ' * 1000000000000000000 + ' ~ units ~ ')' -%}
    {%- set last = _rest_down(inner, divisor) -%}
    {%- set below = '(' ~ quotient('(' ~ whole ~ ' - ' ~ rest ~ ')', divisor)
        ~ ' * 1000000000000000000 + '
        ~ quotient('(' ~ inner ~ ' - ' ~ last ~ ')', divisor) ~ ')' -%}
    {{ attempt(quantity_of('(' ~ below ~ ' + case when ' ~ last
        ~ ' > ' ~ divisor ~ ' - ' ~ last ~ ' or (' ~ below ~ ' >= 0 and ' ~ last
        ~ ' = ' ~ divisor ~ ' - ' ~ last ~ ') then 1 else 0 end)')) }}
{%- endmacro %}


{% macro _rest_down(dividend, divisor) -%}
    ((({{ dividend }}) % {{ divisor }} + {{ divisor }}) % {{ divisor }})
{%- endmacro %}


{#- A result rounded by round, ceil or floor; digits below 0 are tens, hundreds and so
    on. -#}
{% macro rounded_quantity(metric, quantity) -%}
    {%- if metric.round is none -%}
    {{ quantity }}
    {%- else -%}
    {%- set step = "cast('1" ~ '0' * (18 - metric.round_digits) ~ "' as " ~ wide_integer() ~ ')' -%}
    {%- set units = units_of(quantity, 18) -%}
    {%- if metric.round == 'round' -%}
    {%- set steps = '(' ~ div_round(units, step) ~ ')' -%}
    {%- elif metric.round == 'floor' -%}
    {%- set steps = '(' ~ quotient('(' ~ units ~ ' - ' ~ _rest_down(units, step) ~ ')', step)
        ~ ')' -%}
    {%- else -%}
    {%- set steps = '(-(' ~ quotient('(-' ~ units ~ ' - ' ~ _rest_down('-' ~ units, step)
        ~ ')', step) ~ '))' -%}
    {%- endif -%}
    {{ attempt(quantity_of('(' ~ steps ~ ' * ' ~ step ~ ')')) }}
    {%- endif -%}
{%- endmacro %}


{#- The list of an event's values of properties, null where it lacks one. -#}
{% macro properties_listed(names, properties='properties') -%}
    {%- set values = [] -%}
    {%- for name in names -%}
        {%- do values.append(properties ~ '[' ~ sql_text(name) ~ ']') -%}
    {%- endfor -%}
    {{ list_of(values) }}
{%- endmacro %}
