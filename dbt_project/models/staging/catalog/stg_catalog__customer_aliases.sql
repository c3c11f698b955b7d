with

customer_aliases as (

    select * from {{ ref('customer_aliases') }}

)

select
    alias,
    customer_id,
    cast(valid_from as timestamptz) as valid_from_at,
    cast(valid_to as timestamptz) as valid_to_at
from customer_aliases
