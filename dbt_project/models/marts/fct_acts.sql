with

acts as (

    select * from {{ ref('int_acts_named') }}

)

select
    act_number,
    kind,
    subscription_id,
    invoice_id,
    invoice_number,
    path,
    asked_by,
    reason,
    as_of,
    chain_position,
    document_sha256,
    chain_sha256
from acts
