{{ config(materialized='kept') }}
{% do kept_from() %}

with

usage_kept as (

    {% for code in var('billable_metrics') %}
    select
        {{ sql_text(code) }} as metric_code,
        subscription_id,
        invoice_id,
        customer_id,
        unattributed_ref,
        subscription_ref,
        is_covered,
        is_late,
        due_cut_at,
        version_reason,
        unmetered_reason,
        grouping_key,
        group_key,
        event_count,
        quantity,
        first_occurred_at,
        last_occurred_at,
        first_place,
        negative_place,
        carried_in,
        rounded_count,
        rounded_sum
    from {{ kept('usage_' ~ code) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select * from usage_kept
