with

moved_names as (

    select * from {{ source('calendar', 'moved_names') }}

)

select
    name,
    metric_code,
    moved_from_at,
    moved_to_at,
    cut_at,
    event_batch_id
from moved_names
