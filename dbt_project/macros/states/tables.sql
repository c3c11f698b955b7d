{#- The tables of a keeper, where they are missing; empty if nothing was seen. Views of
    those whose names have a digest are named by the code alone. -#}
{% macro table_statements(keeper, models, statements) -%}
    {%- set tables, slot = keeper.tables, [] -%}
    {%- do slot_columns(slot) -%}
    {%- if keeper.metric is none -%}
        {%- do statements.append(_counts_table(tables.slots)) -%}
        {%- do statements.append('create or replace view ' ~ kept('counts')
            ~ ' as select * from ' ~ tables.slots) -%}
    {%- else -%}
        {%- do statements.append(_slots_table(tables.slots)) -%}
        {%- do statements.append(_usage_table(tables.usage)) -%}
        {%- for kind in ('state', 'days') if kind in tables -%}
            {%- do statements.append('create table if not exists ' ~ tables[kind]
                ~ ' as select cast(0 as bigint) as slot_id, * exclude (' ~ slot | join(', ')
                ~ ') from (' ~ delta_query(keeper.metric, events_of_view(keeper.metric, models),
                models, kind == 'days') ~ ') as delta limit 0') -%}
        {%- endfor -%}
        {%- do statements.append(_unmetered_table(tables.unmetered)) -%}
        {%- for kind in ('slots', 'state', 'days', 'unmetered', 'usage') if kind in tables -%}
            {%- do statements.append('create or replace view ' ~ kept(kind ~ '_' ~ keeper.code)
                ~ ' as select * from ' ~ tables[kind]) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for table in tables.values() -%}
        {%- do statements.append('delete from ' ~ table ~ " where getvariable('seen_"
            ~ keeper.number ~ "') < 0") -%}
    {%- endfor -%}
    {%- do statements.append(
'create or replace temp table state_touched_' ~ keeper.number ~ ' (
    subscription_id varchar, invoice_id varchar
)') -%}
{%- endmacro %}


{% macro _slots_table(name) -%}
create table if not exists {{ name }} (
    slot_id bigint,
    source varchar,
    customer_ref varchar,
    subscription_ref varchar,
    customer_id varchar,
    is_covered boolean,
    subscription_id varchar,
    invoice_id varchar,
    is_late boolean,
    due_cut_at timestamptz,
    version_reason varchar,
    unmetered_reason varchar,
    first_occurred_at timestamptz,
    last_occurred_at timestamptz
)
{%- endmacro %}


{% macro _unmetered_table(name) -%}
create table if not exists {{ name }} (
    file_id bigint,
    line bigint,
    customer_id varchar,
    customer_ref varchar,
    subscription_ref varchar,
    occurred_at timestamptz,
    received_at timestamptz,
    unmetered_reason varchar
)
{%- endmacro %}


{% macro _counts_table(name) -%}
create table if not exists {{ name }} (
    source varchar,
    event_name varchar,
    customer_ref varchar,
    subscription_ref varchar,
    customer_id varchar,
    is_metered boolean,
    event_count bigint,
    first_received_at timestamptz,
    first_occurred_at timestamptz,
    last_occurred_at timestamptz,
    first_place bigint
)
{%- endmacro %}


{% macro _usage_table(name) -%}
create table if not exists {{ name }} (
    subscription_id varchar,
    invoice_id varchar,
    customer_id varchar,
    unattributed_ref varchar,
    subscription_ref varchar,
    is_covered boolean,
    is_late boolean,
    due_cut_at timestamptz,
    version_reason varchar,
    unmetered_reason varchar,
    grouping_key varchar,
    group_key varchar,
    event_count bigint,
    quantity decimal(38, 18),
    first_occurred_at timestamptz,
    last_occurred_at timestamptz,
    first_place bigint,
    negative_place bigint,
    carried_in decimal(38, 18),
    rounded_count bigint,
    rounded_sum decimal(38, 18)
)
{%- endmacro %}
