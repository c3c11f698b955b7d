{#- How a node is built: tables, views and tests, each in one statement.
    dbt-duckdb builds beside the old relation, renames twice and drops; DuckDB
    replaces a relation at once, and only what changed its kind is dropped
    before. -#}
{% materialization table, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- do drop_if_other_kind(target) -%}
    {%- call statement('main') -%}
        {%- if config.get('contract').enforced -%}
            {{ get_assert_columns_equivalent(sql) }}
            create or replace table {{ target }}
            {{ get_table_columns_and_constraints() }};
            insert into {{ target }} {{ get_column_names() }} (
                {{ get_select_subquery(sql) }}
            )
        {%- else -%}
            create or replace table {{ target }} as (
                {{ sql }}
            )
        {%- endif -%}
    {%- endcall -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(target, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}


{% materialization view, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- do drop_if_other_kind(target) -%}
    {%- call statement('main') -%}
        create or replace view {{ target }} as (
            {{ sql }}
        )
    {%- endcall -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(target, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}


{#- A test that says which of its assertions fail, and for which rows: as a JSON
    list in the message of its response, where `meterline run` reads it. dbt's
    own way for a test that keeps its failures or counts them otherwise. -#}
{% materialization test, adapter='duckdb' %}
    {%- if should_store_failures() or config.get('limit')
        or config.get('fail_calc') != 'count(*)' -%}
        {{ return(dbt.materialization_test_default()) }}
    {%- endif -%}
    {%- set is_list = (model.get('test_metadata') or {}).get('name') == 'assertions' -%}
    {%- set query -%}
        select
            coalesce(sum(offences), 0) as failures,
            coalesce(sum(offences), 0) {{ config.get('warn_if') }} as should_warn,
            coalesce(sum(offences), 0) {{ config.get('error_if') }}
                as should_error,
            cast(to_json(list(found order by found.number)) as varchar) as found
        from ({{ sql if is_list else offences(model.name, sql) }}) as found
    {%- endset -%}
    {%- set table = adapter.execute(query, auto_begin=True, fetch=True)[1] -%}
    {%- do store_raw_result(
        'main',
        message=table.columns['found'][0],
        code=none,
        rows_affected=none,
        agate_table=table.exclude(['found'])
    ) -%}
    {{ return({'relations': []}) }}
{% endmaterialization %}


{#- A table cannot replace a view, nor a view a table. The look-up also makes dbt
    list the schema before it notes what it builds there: it would take its own
    notes for the whole. -#}
{% macro drop_if_other_kind(target) -%}
    {%- set existing = load_cached_relation(target) -%}
    {%- if existing is not none and existing.type != target.type -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
{%- endmacro %}


{#- A view of tables that are kept from run to run, once they are brought up to this
    one: all in one transaction, so that a run that breaks off leaves them as they were. -#}
{% materialization kept, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- do drop_if_other_kind(target) -%}
    {%- do keep() -%}
    {%- call statement('main') -%}
        create or replace view {{ target }} as (
            {{ sql }}
        )
    {%- endcall -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(target, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
