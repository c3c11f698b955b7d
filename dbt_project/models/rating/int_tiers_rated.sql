with

tiers_of_all_charge_models as (

    {{ union_of('int_tiers_rated_', var('charge_models')) }}

)

select * from tiers_of_all_charge_models
