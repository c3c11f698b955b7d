-- depends_on: {{ ref('int_usage_kept') }}
with

unmetered_events as (

    {% for code in var('billable_metrics') %}
    select
        {{ sql_text(code) }} as metric_code,
        *
    from {{ kept('unmetered_' ~ code) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

landing_files as (

    select * from {{ ref('fct_landing_files') }}

),

unmetered_with_path as (

    select
        unmetered_events.metric_code,
        unmetered_events.file_id,
        unmetered_events.line,
        landing_files.path,
        unmetered_events.customer_id,
        unmetered_events.customer_ref,
        unmetered_events.subscription_ref,
        unmetered_events.occurred_at,
        unmetered_events.received_at,
        unmetered_events.unmetered_reason
    from unmetered_events
    left join landing_files
        on unmetered_events.file_id = landing_files.file_id

)

select
    metric_code,
    file_id,
    line,
    path,
    customer_id,
    customer_ref,
    subscription_ref,
    occurred_at,
    received_at,
    unmetered_reason
from unmetered_with_path
