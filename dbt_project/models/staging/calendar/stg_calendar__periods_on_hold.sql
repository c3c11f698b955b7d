with

periods_on_hold as (

    select * from {{ source('calendar', 'periods_on_hold') }}

)

select
    subscription_id,
    period_start_at
from periods_on_hold
