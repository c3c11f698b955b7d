with

charges as (

    {{ with_columns(ref('charges'), ['name', 'flat_at_zero']) }}

)

select
    plan_code,
    charge_code,
    nullif(name, '') as name,  -- noqa: RF04
    cast(valid_from as date) as price_valid_from,
    metric_code,
    charge_model,
    {{ exact_decimal(
        'unit_price',
        integer_digits=15,
        fraction_digits=15,
        data_type='decimal(30, 15)'
    ) }} as unit_price,
    coalesce(
        list_sort(string_split(nullif(group_by, ''), ';')),
        cast([] as varchar[])
    ) as group_by,
    coalesce(flat_at_zero = 'yes', false) as is_flat_due_at_zero
from charges
