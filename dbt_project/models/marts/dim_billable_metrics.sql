with

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

)

select
    metric_code,
    description,
    event_name,
    aggregation,
    value,
    unit,
    array_to_string(group_by, ', ') as group_by,
    filters,
    fraction_digits,
    is_additive
from metrics_defined
