with

charge_tiers as (

    {{ with_columns(ref('charge_tiers'), [
        'subscription_id', 'rate_percent', 'package_size', 'maximum_amount'
    ]) }}

)

select
    plan_code,
    charge_code,
    nullif(subscription_id, '') as subscription_id,
    cast(valid_from as date) as price_valid_from,
    {{ quantity_cell('from_units') }} as from_units,
    {{ quantity_cell('up_to_units') }} as up_to_units,
    {{ price_cell('unit_price') }} as unit_price,
    {{ price_cell('rate_percent') }} as rate_percent,
    {{ price_cell('flat_amount', 0) }} as flat_amount,
    {{ quantity_cell('package_size') }} as package_size,
    {{ price_cell('maximum_amount') }} as maximum_amount
from charge_tiers
