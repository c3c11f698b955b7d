{# What all groups of a charge come to, beside what is committed to. #}
with

charges as (

    select * from {{ ref('int_charges_drafted') }}

),

prices as (

    select * from {{ ref('int_prices_numbered') }}
    where commitment_amount is not null

),

parts_rated as (

    select * from {{ ref('int_parts_rated') }}

)

{{ commitments_compared('charges', 'prices', 'parts_rated') }}
