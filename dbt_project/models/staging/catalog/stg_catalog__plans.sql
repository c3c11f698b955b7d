with

plans as (

    {{ with_columns(ref('plans'), ['rounding']) }}

)

select
    plan_code,
    name,
    {{ word_cell('rounding', 'half_away') }} as rounding
from plans
