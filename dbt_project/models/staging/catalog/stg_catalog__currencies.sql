with

currencies as (

    select * from {{ ref('currencies') }}

)

select
    currency,
    cast(minor_unit_digits as integer) as minor_unit_digits
from currencies
