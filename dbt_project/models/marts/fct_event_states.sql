with

event_states as (

    select * from {{ ref('int_events_stated') }}

)

select
    source,
    path,
    file_id,
    received_at,
    state,
    reason,
    event_count
from event_states
