with

line_parts as (

    select * from {{ ref('int_parts_converted') }}
    where is_event

),

rated_events as (

    {{ events_rated('line_parts') }}

)

select
    line_key,
    part_number,
    is_charged,
    amount_whole,
    amount_units,
    amount_rest
from rated_events
