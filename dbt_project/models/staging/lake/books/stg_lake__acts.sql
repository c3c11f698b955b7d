with

acts as (

    select * from {{ lake_table('acts') }}

)

select
    act_number,
    kind,
    subscription_id,
    invoice_id,
    file_id,
    asked_by,
    reason,
    as_of,
    chain_position,
    document_sha256,
    chain_sha256
from acts
