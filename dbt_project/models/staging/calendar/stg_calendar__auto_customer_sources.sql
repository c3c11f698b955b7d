with

auto_customer_sources as (

    select * from {{ source('calendar', 'auto_customer_sources') }}

)

select source
from auto_customer_sources
