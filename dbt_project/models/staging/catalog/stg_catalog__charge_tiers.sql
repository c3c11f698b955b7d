with

charge_tiers as (

    select * from {{ ref('charge_tiers') }}

)

select
    plan_code,
    charge_code,
    cast(valid_from as date) as price_valid_from,
    {{ exact_decimal('from_units') }} as from_units,
    {{ exact_decimal('up_to_units') }} as up_to_units,
    {{ exact_decimal(
        'unit_price',
        integer_digits=15,
        fraction_digits=15,
        data_type='decimal(30, 15)'
    ) }} as unit_price,
    {{ exact_decimal(
        "coalesce(nullif(flat_amount, ''), '0')",
        integer_digits=23,
        fraction_digits=15,
        data_type='decimal(38, 15)'
    ) }} as flat_amount
from charge_tiers
