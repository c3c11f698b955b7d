with

invoice_lines_metered as (

    select * from {{ ref('int_invoice_lines_metered') }}

),

charges as (

    select * from {{ ref('int_charges_drafted') }}

),

prices as (

    select * from {{ ref('int_prices_numbered') }}

),

line_parts as (

    select * from {{ ref('int_parts_converted') }}

),

tiers_rated as (

    select * from {{ ref('int_tiers_rated') }}

),

events_rated as (

    select * from {{ ref('int_events_rated') }}

),

line_terms as (

    {{ lines_with_terms('invoice_lines_metered', 'charges', 'prices') }}

),

amounts as (

    {{ amounts_of_all_models(
        'line_parts', 'line_terms', 'tiers_rated', 'events_rated'
    ) }}

)

{{ amounts_by_part('line_terms', 'line_parts', 'amounts') }}
