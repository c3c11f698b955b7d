with

acts as (

    select * from {{ ref('stg_lake__acts') }}

),

invoices as (

    select * from {{ ref('stg_lake__invoices') }}

),

landing_files as (

    select * from {{ ref('stg_lake__landing_files') }}

),

acts_with_names as (

    select
        acts.*,
        invoices.invoice_number,
        landing_files.path
    from acts
    left join invoices
        on acts.invoice_id = invoices.invoice_id
    left join landing_files
        on acts.file_id = landing_files.file_id

)

select * from acts_with_names
