{#- What each SQL engine spells in its own way of instants, places and days; see
    `spellings.sql`. -#}

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


{#- A local day is in two or three days of UTC, by which it is looked up: to sort the
    relation for an `asof` join would take longer than all else. -#}
{% macro duckdb__with_local_day(relation, instant, days, columns) -%}
    select
        placed.*,
        {{ columns }}
    from {{ relation }} as placed
    left join (
        select
            *,
            unnest(range(
                {{ _utc_day('day_start_at') }}, {{ _utc_day('day_end_at') }} + 1
            )) as utc_day
        from {{ days }}
    ) as local_days
        on
            placed.time_zone = local_days.time_zone
            and {{ _utc_day('placed.' ~ instant) }} = local_days.utc_day
            and placed.{{ instant }} >= local_days.day_start_at
            and placed.{{ instant }} < local_days.day_end_at
{%- endmacro %}


{% macro _utc_day(instant) -%} ({{ microseconds(instant) }} // 86400000000) {%- endmacro %}


{#- The place of an event as one number: the least of them is the first event. A file
    has fewer than 2^32 lines. -#}
{% macro place_number(file_id, line) -%}
    ({{ file_id }} * 4294967296 + {{ line }})
{%- endmacro %}


{% macro file_of_place(number) -%} {{ quotient(number, 4294967296) }} {%- endmacro %}


{% macro line_of_place(number) -%} {{ number }} % 4294967296 {%- endmacro %}


{#- The date of a day that is counted from 1970 on. -#}
{% macro date_of_day(number) -%}
    (date '1970-01-01' + cast({{ number }} as integer))
{%- endmacro %}
