with

files_in_progress as (

    select * from {{ source('landing', 'files_in_progress') }}

)

select
    source,
    path,
    size_bytes,
    received_at,
    reason
from files_in_progress
