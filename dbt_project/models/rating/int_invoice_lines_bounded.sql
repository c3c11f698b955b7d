{# Charges without a bound and a commitment have no such line. #}
with

prices as (

    select * from {{ ref('int_prices_numbered') }}
    where
        minimum_amount is not null
        or maximum_amount is not null
        or commitment_amount is not null

),

charges as (

    select * from {{ ref('int_charges_drafted') }}
    where price_number in (select prices.price_number from prices)

),

commitments as (

    select * from {{ ref('int_commitments_compared') }}

),

invoice_lines_rated as (

    select * from {{ ref('int_invoice_lines_rated') }}

),

{# Nothing takes anything off them yet. #}
lines_in_minor_units as (

    select
        charges.charge_number,
        {{ minor_units('invoice_lines_rated.amount') }} as net_minor
    from invoice_lines_rated
    inner join charges
        on invoice_lines_rated.charge_number = charges.charge_number

),

lines_of_commitments as (

    {{ commitment_lines('commitments') }}

),

settled_charges as (

    {{ charges_settled(
        'charges', 'prices', 'lines_in_minor_units', 'lines_of_commitments'
    ) }}

)

{{ bound_lines('settled_charges', 'lines_of_commitments') }}
