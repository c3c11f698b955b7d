with

metrics_totalled as (

    select * from {{ ref('int_metrics_totalled') }}

),

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

),

usage_by_place as (

    select * from {{ ref('int_usage_by_place') }}

),

invoice_lines_recomputed as (

    select * from {{ ref('int_invoice_lines_recomputed') }}

),

accounted_per_metric as (

    select
        metric_code,
        sum(event_count) as event_count,
        sum(quantity_whole) as accounted_whole,
        sum(quantity_units) as accounted_units
    from usage_by_place
    group by metric_code

),

{% for side in ['recomputed', 'invoiced'] %}
{{ side }}_per_metric as (

    select
        metric_code,
        {{ sum_in_parts(side) }}
    from (
        select metric_code, {{ wide_sum(side ~ '_quantity') }}
        from invoice_lines_recomputed
        where difference_cause is null
        group by metric_code
    ) as sums

),

{% endfor %}
metrics_compared as (

    select
        metrics_totalled.*,
        metrics_defined.unit,
        metrics_defined.is_additive,
        {% for side in ['accounted', 'recomputed', 'invoiced'] %}
        coalesce({{ side }}_per_metric.{{ side }}_whole, 0) as {{ side }}_whole,
        coalesce({{ side }}_per_metric.{{ side }}_units, 0) as {{ side }}_units,
        {% endfor %}
        coalesce(accounted_per_metric.event_count, 0) as accounted_event_count
    from metrics_totalled
    left join metrics_defined using (metric_code)
    left join accounted_per_metric using (metric_code)
    left join recomputed_per_metric using (metric_code)
    left join invoiced_per_metric using (metric_code)

)

select
    'metric_events' as identity,
    metric_code as subject,
    'event' as unit,
    cast(event_count as decimal(38, 18)) as expected,
    cast(accounted_event_count as decimal(38, 18)) as actual,
    cast(event_count - accounted_event_count as decimal(38, 18)) as difference
from metrics_compared
{# What is more than a quantity has no part in the sum. #}
{% for identity, expected, actual, condition in [
    ('metric_quantity', 'quantity', 'accounted',
        'is_additive and not has_overflow'),
    ('finalized_quantity', 'recomputed', 'invoiced', 'true'),
] %}
union all
select
    '{{ identity }}' as identity,
    metric_code as subject,
    unit,
    {{ quantity_of_parts(expected) }} as expected,
    {{ quantity_of_parts(actual) }} as actual,
    {{ difference_of_parts(expected, actual) }} as difference
from metrics_compared
where {{ condition }}
{% endfor %}
