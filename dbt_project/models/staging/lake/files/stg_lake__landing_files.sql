with

landing_files as (

    select * from {{ lake_table('landing_files') }}

)

select
    batch_id,
    file_id,
    source,
    path,
    etag,
    size_bytes,
    received_at,
    corrects_file_id
from landing_files
