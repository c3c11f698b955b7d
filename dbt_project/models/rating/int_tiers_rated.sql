with

line_parts as (

    select * from {{ ref('int_parts_converted') }}

),

price_tiers as (

    select * from {{ ref('int_tiers_numbered') }}

),

{# The catalog refuses cells as long as nothing bills them. #}
price_cells as (

    select
        cast(null as bigint) as price_number,
        cast(null as varchar[]) as properties,
        cast(null as varchar[]) as texts,
        cast(null as decimal(30, 15)) as unit_price
    where false

),

tiers_of_parts as (

    {{ tiers_of_all_models('line_parts', 'price_tiers', 'price_cells') }}

)

{{ tiers_rated('tiers_of_parts') }}
