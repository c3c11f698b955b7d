with

customer_names as (

    select * from {{ source('calendar', 'customer_names') }}

)

select
    name,
    customer_id,
    valid_from_at,
    valid_to_at
from customer_names
