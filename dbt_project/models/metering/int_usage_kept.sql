{{ config(materialized='kept') }}
{% do kept_from() %}

with

usage_kept as (

    {% for code in var('billable_metrics') %}
    select
        {{ sql_text(code) }} as metric_code,
        *
    from {{ kept('usage_' ~ code) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select * from usage_kept
