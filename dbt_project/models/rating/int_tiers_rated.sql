with

line_parts as (

    select * from {{ ref('int_parts_converted') }}

),

price_tiers as (

    select * from {{ ref('int_tiers_numbered') }}

),

price_cells as (

    select * from {{ ref('int_cells_numbered') }}

),

tiers_of_parts as (

    {{ tiers_of_all_models('line_parts', 'price_tiers', 'price_cells') }}

)

{{ tiers_rated('tiers_of_parts') }}
