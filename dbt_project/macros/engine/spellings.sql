{#- What each SQL engine spells in its own way. A model calls these instead of
    the function, so that another engine needs its spellings here alone. -#}

{#- The quotient of two integers, cut toward zero. -#}
{% macro quotient(dividend, divisor) -%}
    {{ adapter.dispatch('quotient')(dividend, divisor) }}
{%- endmacro %}


{% macro default__quotient(dividend, divisor) -%}
    {{ dividend }} div {{ divisor }}
{%- endmacro %}


{% macro duckdb__quotient(dividend, divisor) -%}
    {{ dividend }} // {{ divisor }}
{%- endmacro %}


{#- The decimal of 38 digits that is so many 10^-digits; more raise. -#}
{% macro decimal_of_units(units, digits) -%}
    {{ adapter.dispatch('decimal_of_units')(units, digits) }}
{%- endmacro %}


{% macro default__decimal_of_units(units, digits) -%}
    (
        cast({{ quotient(units, '1' ~ '0' * digits) }} as decimal(38, {{ digits }}))
        + cast({{ units }} % {{ '1' ~ '0' * digits }} as decimal({{ digits }}, 0))
        * 0.{{ '0' * (digits - 1) }}1
    )
{%- endmacro %}


{#- One product, 30 times faster than a quotient. `units` stand here once: DuckDB works
    out what stands twice before `try`, where an overflow is not caught. -#}
{% macro duckdb__decimal_of_units(units, digits) -%}
    (cast({{ units }} as decimal(38, 0)) * 0.{{ '0' * (digits - 1) }}1)
{%- endmacro %}


{#- The type of integers of up to 38 digits; one beyond it raises. -#}
{% macro wide_integer() -%}
    {{ adapter.dispatch('wide_integer')() }}
{%- endmacro %}


{% macro default__wide_integer() -%} decimal(38, 0) {%- endmacro %}


{% macro duckdb__wide_integer() -%} hugeint {%- endmacro %}


{#- An instant before, or after, every one that is sent. -#}
{% macro distant_past() -%} {{ adapter.dispatch('distant_past')() }} {%- endmacro %}


{% macro default__distant_past() -%}
    timestamp '0001-01-01 00:00:00'
{%- endmacro %}


{% macro duckdb__distant_past() -%} timestamptz '-infinity' {%- endmacro %}


{% macro distant_future() -%}
    {{ adapter.dispatch('distant_future')() }}
{%- endmacro %}


{% macro default__distant_future() -%}
    timestamp '9999-12-31 23:59:59'
{%- endmacro %}


{% macro duckdb__distant_future() -%} timestamptz 'infinity' {%- endmacro %}


{#- The rows of a seed, with a column of nulls for each that its file lacks. -#}
{% macro with_columns(seed, names) -%}
    {{ adapter.dispatch('with_columns')(seed, names) }}
{%- endmacro %}


{% macro default__with_columns(seed, names) -%}
    select * from {{ seed }}
{%- endmacro %}


{% macro duckdb__with_columns(seed, names) -%}
    select * from {{ seed }}
    union all by name
    select
        {% for name in names -%}
        cast(null as varchar) as {{ name }}{{ ',' if not loop.last }}
        {% endfor -%}
    where false
{%- endmacro %}


{#- A value, or null where working it out overflows. -#}
{% macro attempt(expression) -%}
    {{ adapter.dispatch('attempt')(expression) }}
{%- endmacro %}


{% macro default__attempt(expression) -%} {{ expression }} {%- endmacro %}


{% macro duckdb__attempt(expression) -%} try({{ expression }}) {%- endmacro %}


{#- A list of texts, of which some may be null. -#}
{% macro list_of(expressions) -%}
    {{ adapter.dispatch('list_of')(expressions) }}
{%- endmacro %}


{% macro default__list_of(expressions) -%}
    cast(array({{ expressions | join(', ') }}) as array<string>)
{%- endmacro %}


{% macro duckdb__list_of(expressions) -%}
    cast([{{ expressions | join(', ') }}] as varchar[])
{%- endmacro %}
