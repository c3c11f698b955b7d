with

plans as (

    select * from {{ ref('plans') }}

)

select
    plan_code,
    name
from plans
