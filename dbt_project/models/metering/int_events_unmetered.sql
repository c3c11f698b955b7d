{{ config(materialized='view') }}
-- depends_on: {{ ref('int_usage_kept') }}

with

events_unmetered as (

    {% for code in var('billable_metrics') %}
    select
        {{ sql_text(code) }} as metric_code,
        file_id,
        line,
        customer_id,
        customer_ref,
        subscription_ref,
        occurred_at,
        received_at,
        unmetered_reason
    from {{ kept('unmetered_' ~ code) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select * from events_unmetered
