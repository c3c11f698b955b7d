with

customers as (

    select * from {{ ref('customers') }}

)

select
    customer_id,
    name,
    currency,
    time_zone,
    cast(grace_period_days as integer) as grace_period_days,
    late_usage_policy
from customers
