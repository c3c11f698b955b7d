with

{% for code in var('billable_metrics') %}
{{ code }}_total as (

    select
        {{ sql_text(code) }} as metric_code,
        count(*) as event_count,
        count(quantity) as measured_event_count,
        coalesce({{ sum_exact('quantity', sql_text(code)) }}, 0) as quantity
    from {{ ref('metric_' ~ code) }}

),

{% endfor %}
metric_totals as (

    {% for code in var('billable_metrics') %}
    select * from {{ code }}_total
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select * from metric_totals
