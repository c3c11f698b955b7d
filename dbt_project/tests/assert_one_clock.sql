{# Every model that asks for the time joins this row: none or two would lose or
   double what they bill. #}
{{ config(meta={
    'description': 'The clock has exactly one row.',
    'what_to_do': 'run `meterline run` again, which writes the clock anew'
}) }}

with

clock as (

    select * from {{ ref('stg_calendar__clock') }}

)

select count(*) as row_count
from clock
having count(*) != 1
