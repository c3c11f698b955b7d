{# One part a line, as long as no bucket and no event is priced alone. #}
with

lines as (

    select
        line_key,
        line_key as charge_number,
        price_number,
        group_key,
        event_count,
        quantity
    from {{ ref('int_invoice_lines_metered') }}

),

prices as (

    select * from {{ ref('int_prices_numbered') }}

),

parts_counted as (

    {{ parts_counted('lines', 'lines', 'prices') }}

),

parts_converted as (

    {{ parts_converted('parts_counted', 'prices') }}

)

{{ parts_to_price('parts_converted', 'prices', 'lines') }}
