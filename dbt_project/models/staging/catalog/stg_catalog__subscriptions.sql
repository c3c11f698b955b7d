with

subscriptions as (

    select * from {{ ref('subscriptions') }}

)

select
    subscription_id,
    customer_id
from subscriptions
