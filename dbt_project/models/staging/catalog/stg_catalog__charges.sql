with

charges as (

    {{ with_columns(ref('charges'), [
        'subscription_id', 'name', 'filters', 'missing_dimension',
        'flat_at_zero', 'unit_divisor', 'unit_rounding', 'free_units',
        'package_size', 'package_rounding', 'flat_amount', 'quantity', 'billed',
        'invoiced_in', 'rate_percent', 'fixed_amount', 'free_events',
        'free_amount', 'minimum_per_event', 'maximum_per_event', 'priced_each',
        'prorated', 'unit', 'minimum_amount', 'maximum_amount',
        'commitment_amount', 'commitment_overage_factor', 'commitment_true_up'
    ]) }}

)

select
    plan_code,
    charge_code,
    nullif(subscription_id, '') as subscription_id,
    nullif(name, '') as name,  -- noqa: RF04
    cast(valid_from as date) as price_valid_from,
    metric_code,
    charge_model,
    coalesce(
        list_sort(string_split(nullif(group_by, ''), ';')),
        cast([] as varchar[])
    ) as group_by,
    nullif(missing_dimension, '') as missing_dimension,
    {{ conditions_of('filters') }} as conditions,
    {{ price_cell('unit_price') }} as unit_price,
    {{ quantity_cell('unit_divisor', 1) }} as unit_divisor,
    {{ word_cell('unit_rounding', 'none') }} as unit_rounding,
    {{ quantity_cell('free_units', 0) }} as free_units,
    {{ quantity_cell('package_size') }} as package_size,
    {{ word_cell('package_rounding', 'up') }} as package_rounding,
    {{ price_cell('flat_amount', 0) }} as flat_amount,
    {{ quantity_cell('quantity', 1) }} as quantity,
    {{ word_cell('billed', 'period') }} as billed,
    {{ word_cell('invoiced_in', 'arrears') }} as invoiced_in,
    flat_at_zero = 'yes' as flat_at_zero,
    {{ price_cell('rate_percent', 0) }} as rate_percent,
    {{ price_cell('fixed_amount', 0) }} as fixed_amount,
    cast(nullif(free_events, '') as bigint) as free_events,
    {{ quantity_cell('free_amount') }} as free_amount,
    {{ price_cell('minimum_per_event') }} as minimum_per_event,
    {{ price_cell('maximum_per_event') }} as maximum_per_event,
    {{ word_cell('priced_each', 'period') }} as priced_each,
    coalesce(prorated != 'no', true) as prorated,
    nullif(unit, '') as unit,
    {{ price_cell('minimum_amount') }} as minimum_amount,
    {{ price_cell('maximum_amount') }} as maximum_amount,
    {{ price_cell('commitment_amount') }} as commitment_amount,
    {{ quantity_cell('commitment_overage_factor', 1) }}
        as commitment_overage_factor,
    coalesce(commitment_true_up != 'no', true) as commitment_true_up
from charges
