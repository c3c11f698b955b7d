with

fees_billed_once as (

    select * from {{ source('calendar', 'fees_billed_once') }}

)

select
    subscription_id,
    plan_code,
    charge_code
from fees_billed_once
