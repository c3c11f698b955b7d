{#- What each SQL engine spells in its own way. A model calls these instead of
    the function, so that another engine needs its spellings here alone. -#}

{#- A value of any type that stops the query with a message instead. -#}
{% macro raise_error(message) -%}
    {{ adapter.dispatch('raise_error')(message) }}
{%- endmacro %}

{% macro default__raise_error(message) -%}
    raise_error({{ message }})
{%- endmacro %}

{% macro duckdb__raise_error(message) -%}
    error({{ message }})
{%- endmacro %}


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


{#- The place of an event as one value: the least of them is the first event. -#}
{% macro place(file_id, line) -%}
    {{ adapter.dispatch('place')(file_id, line) }}
{%- endmacro %}

{% macro default__place(file_id, line) -%}
    named_struct('file_id', {{ file_id }}, 'line', {{ line }})
{%- endmacro %}

{% macro duckdb__place(file_id, line) -%}
    struct_pack(file_id := {{ file_id }}, line := {{ line }})
{%- endmacro %}


{#- The rows of a relation, with a column of nulls where the relation lacks it. -#}
{% macro with_column(relation, name, data_type) -%}
    {{ adapter.dispatch('with_column')(relation, name, data_type) }}
{%- endmacro %}

{% macro default__with_column(relation, name, data_type) -%}
    select * from {{ relation }}
{%- endmacro %}

{% macro duckdb__with_column(relation, name, data_type) -%}
    select * from {{ relation }}
    union all by name
    select cast(null as {{ data_type }}) as {{ name }}
    where false
{%- endmacro %}


{#- A value, or null where working it out overflows. -#}
{% macro attempt(expression) -%}
    {{ adapter.dispatch('attempt')(expression) }}
{%- endmacro %}

{% macro default__attempt(expression) -%} {{ expression }} {%- endmacro %}

{% macro duckdb__attempt(expression) -%} try({{ expression }}) {%- endmacro %}


{#- An instant as microseconds since 1970, and back. -#}
{% macro microseconds(instant) -%}
    {{ adapter.dispatch('microseconds')(instant) }}
{%- endmacro %}

{% macro default__microseconds(instant) -%}
    unix_micros({{ instant }})
{%- endmacro %}

{% macro duckdb__microseconds(instant) -%} epoch_us({{ instant }}) {%- endmacro %}

{% macro instant_of(microseconds) -%}
    {{ adapter.dispatch('instant_of')(microseconds) }}
{%- endmacro %}

{% macro default__instant_of(microseconds) -%}
    timestamp_micros({{ microseconds }})
{%- endmacro %}

{% macro duckdb__instant_of(microseconds) -%}
    make_timestamptz({{ microseconds }})
{%- endmacro %}


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


{#- Where an event stands among others: the greatest of them is the last. -#}
{% macro position(occurred_at, file_id, line) -%}
    {{ adapter.dispatch('position')(occurred_at, file_id, line) }}
{%- endmacro %}

{% macro default__position(occurred_at, file_id, line) -%}
    named_struct(
        'occurred_at', {{ occurred_at }},
        'file_id', {{ file_id }},
        'line', {{ line }}
    )
{%- endmacro %}

{% macro duckdb__position(occurred_at, file_id, line) -%}
    struct_pack(
        occurred_at := {{ occurred_at }},
        file_id := {{ file_id }},
        line := {{ line }}
    )
{%- endmacro %}


{#- The rows of a relation with the local day, of their column `time_zone`, that
    holds an instant of theirs. `days` has the columns time_zone, day_number,
    day_start_at and day_end_at. -#}
{% macro with_local_day(relation, instant, days, columns) -%}
    {{ adapter.dispatch('with_local_day')(relation, instant, days, columns) }}
{%- endmacro %}

{% macro default__with_local_day(relation, instant, days, columns) -%}
    select
        placed.*,
        {{ columns }}
    from {{ relation }} as placed
    left join {{ days }} as local_days
        on
            placed.time_zone = local_days.time_zone
            and placed.{{ instant }} >= local_days.day_start_at
            and placed.{{ instant }} < local_days.day_end_at
{%- endmacro %}

{% macro duckdb__with_local_day(relation, instant, days, columns) -%}
    select
        placed.*,
        {{ columns }}
    from {{ relation }} as placed
    asof left join {{ days }} as local_days
        on
            placed.time_zone = local_days.time_zone
            and placed.{{ instant }} >= local_days.day_start_at
{%- endmacro %}
