with

plans as (

    select * from {{ ref('stg_catalog__plans') }}

)

select
    plan_code,
    name
from plans
