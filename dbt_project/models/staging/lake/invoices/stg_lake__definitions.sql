with

definitions as (

    select * from {{ lake_table('definitions') }}

),

definitions_by_metric as (

    select
        definitions_digest,
        content,
        unnest({{ json_names('content', 'metrics') }}) as metric_code
    from definitions

)

select
    definitions_digest,
    metric_code,
    {{ json_member('content', 'metrics', 'metric_code') }} as definition
from definitions_by_metric
