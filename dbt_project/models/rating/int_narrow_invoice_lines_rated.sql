{{ config(materialized='view') }}

with

line_parts as (

    select * from {{ ref('int_parts_converted') }}

),

price_tiers as (

    select * from {{ ref('int_tiers_numbered') }}

)

{{ narrow_lines('line_parts', 'price_tiers') }}
