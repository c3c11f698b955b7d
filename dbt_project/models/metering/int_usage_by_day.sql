{# The last days with usage alone: whoever wants more of them asks the lake. #}
-- depends_on: {{ ref('int_usage_kept') }}
with

days as (

    {% for metric in metric_definitions() if metric.traits.daily %}
    select
        {{ sql_text(metric.metric_code) }} as metric_code,
        subscription_id,
        group_key,
        {{ date_of_day('local_day') }} as local_date,
        {{ aggregation_part(metric, 'final') }} as quantity,
        event_count,
        late_count
    from ({{ parts_by_day(metric) }}) as parts_by_day
    union all
    {% endfor %}
    select
        null as metric_code,
        null as subscription_id,
        null as group_key,
        null as local_date,
        null as quantity,
        null as event_count,
        null as late_count
    where false

),

last_day as (

    select max(local_date) as local_date
    from days

)

select days.*
from days
cross join last_day
where days.local_date >= last_day.local_date - {{ var('days_of_usage') }}
