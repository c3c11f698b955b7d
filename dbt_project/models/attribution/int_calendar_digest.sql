{# One text for the whole calendar, whatever the order of its rows. #}
with

calendar as (

    select * from {{ ref('int_calendar') }}

)

select {{ digest_of_rows('calendar') }} as calendar_digest
from calendar
