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
    event_batch_id,
    closing_batch_id,
    ended_batch_id,
    is_moved
from moved_names
