with

local_days as (

    select * from {{ source('calendar', 'local_days') }}

)

select
    time_zone,
    day_number,
    day_start_at,
    day_end_at
from local_days
