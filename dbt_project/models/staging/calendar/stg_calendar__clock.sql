with

clock as (

    select * from {{ source('calendar', 'clock') }}

)

select
    as_of,
    batch_id,
    catalog_digest
from clock
