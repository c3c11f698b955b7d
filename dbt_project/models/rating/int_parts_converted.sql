with

lines as (

    select * from {{ ref('int_invoice_lines_metered') }}

),

charges as (

    select * from {{ ref('int_charges_drafted') }}

),

prices as (

    select * from {{ ref('int_prices_numbered') }}

),

line_events as (

    select * from {{ ref('int_events_numbered') }}

),

line_buckets as (

    select * from {{ ref('int_buckets_numbered') }}

),

parts_counted as (

    {{ parts_counted(
        'lines', 'charges', 'prices', 'line_buckets', 'line_events'
    ) }}

),

parts_converted as (

    {{ parts_converted('parts_counted', 'prices') }}

)

{{ parts_to_price('parts_converted', 'prices', 'lines') }}
