{#- What a metric keeps from run to run, in a schema of its own that dbt does not
    look into:

    marks            one row per metric: what its tables were made from
    calendars        calendars that a mark names
    recounts         one row per metric: the SQL that counts events of it, for a recount
    slots_<code>     one row per name as sent and what it resolves to
    state_<code>     one row per slot, group and whatever else is merged by
    days_<code>      the same by local day, where a day has a quantity of its own
    unmetered_<code> one row per event that has no value
    usage_<code>     one row per quantity of a period, and per reason that has none

    Those of a metric are named by the digest of what they hold, so that a changed metric
    begins with empty tables. Views have the names without it. -#}
{% macro kept(name) -%} warehouse.states."{{ name }}" {%- endmacro %}


{% macro calendar_columns() -%}
    kind, name, reference, metric_code, from_at, to_at, file_id, line, detail
{%- endmacro %}


{#- Statements that make the tables of all metrics, where they are missing. -#}
{% macro kept_tables() -%}
create schema if not exists warehouse.states;
create table if not exists {{ kept('marks') }} (
    metric_code varchar primary key,
    definition_digest varchar not null,
    batch_id bigint not null,
    batch_digest varchar,
    calendar_digest varchar not null
);
create table if not exists {{ kept('recounts') }} (
    metric_code varchar primary key,
    events varchar not null,
    parts varchar not null
);
create table if not exists {{ kept('calendars') }} (
    calendar_digest varchar not null,
    kind varchar not null,
    name varchar,
    reference varchar,
    metric_code varchar,
    from_at timestamptz,
    to_at timestamptz,
    file_id bigint,
    line bigint,
    detail varchar
)
{%- endmacro %}


{#- A digest of rows that is the same in any order. -#}
{% macro digest_of_rows(relation) -%}
    {{ adapter.dispatch('digest_of_rows')(relation) }}
{%- endmacro %}


{% macro duckdb__digest_of_rows(relation) -%}
    md5(
        concat_ws(
            ' ',
            count(*),
            bit_xor(md5_number(cast({{ relation }} as varchar)))
        )
    )
{%- endmacro %}


{#- `names` gets the columns of a slot by which there is one row. -#}
{% macro slot_columns(names) -%}
    {%- do names.extend([
        'source', 'customer_ref', 'subscription_ref', 'customer_id', 'is_covered',
        'subscription_id', 'invoice_id', 'is_late', 'due_cut_at', 'version_reason',
        'unmetered_reason'
    ]) -%}
{%- endmacro %}


{#- Null is a value like any other. -#}
{% macro same_columns(names, one, other) -%}
    {%- for name in names -%}
    {{ ' and ' if not loop.first }}{{ one }}.{{ name }} is not distinct from {{ other }}.{{ name }}
    {%- endfor -%}
{%- endmacro %}
