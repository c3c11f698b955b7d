with

reopened_periods as (

    select * from {{ source('calendar', 'reopened_periods') }}

)

select
    subscription_id,
    period_start_label,
    revision
from reopened_periods
