{#- Parts in a kept table: those of a key that it has already are merged with it. -#}
{% macro merge_statements(metric, delta, slots, table, day, statements) -%}
    {%- set slot = [] -%}
    {%- do slot_columns(slot) -%}
    {%- set key = ['slot_id', 'group_key'] + day -%}
    {%- do part_key(metric, key) -%}
    {%- do statements.append(
'create or replace temp table state_parts as
select slots.slot_id, delta.* exclude (' ~ slot | join(', ') ~ ')
from ' ~ delta ~ ' as delta
inner join ' ~ slots ~ ' as slots
    on ' ~ same_columns(slot, 'slots', 'delta')) -%}
    {%- do merge_parts(metric, table, key, statements) -%}
{%- endmacro %}


{#- `state_parts` in a table with the same columns. -#}
{% macro merge_parts(metric, table, key, statements) -%}
    {%- do take_out(table, 'state_parts', key, statements) -%}
    {%- do statements.append(
'insert into ' ~ table ~ ' by name
select state_parts.*
from state_parts
anti join state_merged
    on ' ~ same_columns(key, 'state_parts', 'state_merged')) -%}
    {%- do statements.append(
'insert into ' ~ table ~ ' by name ' ~ merged_parts(metric, key, '(
    select * exclude (state_row) from state_merged
    union all by name
    select state_parts.*
    from state_parts
    semi join state_merged
        on ' ~ same_columns(key, 'state_parts', 'state_merged') ~ '
)')) -%}
{%- endmacro %}


{#- Rows of a kept table with a key of `added` are in `state_merged` instead, and their
    former number in its column `state_row`. -#}
{% macro take_out(table, added, key, statements) -%}
    {%- do statements.append(
'create or replace temp table state_merged as
select kept_rows.rowid as state_row, kept_rows.*
from ' ~ table ~ ' as kept_rows
semi join ' ~ added ~ '
    on ' ~ same_columns(key, 'kept_rows', added)) -%}
    {%- do statements.append('delete from ' ~ table
        ~ ' where rowid in (select state_row from state_merged)') -%}
{%- endmacro %}


{#- Parts of a key as one. -#}
{% macro merged_parts(metric, key, parts) -%}
    {%- set merge = aggregation_part(metric, 'merge') -%}
    select
        {{ key | join(', ') }},
        {{- merge ~ ',' if merge | trim }}
        cast(sum(event_count) as bigint) as event_count,
        min(first_occurred_at) as first_occurred_at,
        max(last_occurred_at) as last_occurred_at,
        min(first_place) as first_place,
        min(negative_place) as negative_place
        {%- if metric.round_values %},
        cast(sum(rounded_count) as bigint) as rounded_count,
        sum(rounded_sum) as rounded_sum
        {%- endif %}
    from {{ parts }} as parts_to_merge
    group by {{ key | join(', ') }}
{%- endmacro %}
