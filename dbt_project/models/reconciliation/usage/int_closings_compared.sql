with

closed_periods as (

    select * from {{ ref('stg_lake__closed_periods') }}

),

definitions as (

    select * from {{ ref('stg_lake__definitions') }}

),

{# A description is for people: a period is not counted by it. #}
metrics as (

    select
        metric_code,
        {{ json_without('definition', 'description') }} as definition
    from {{ ref('int_metrics_defined') }}

),

clock as (

    select * from {{ ref('stg_calendar__clock') }}

),

closings as (

    select distinct
        catalog_digest,
        definitions_digest
    from closed_periods

),

all_metrics as (

    select metric_code from metrics
    union distinct
    select metric_code from definitions

),

{# A metric that the closing did not know has no row in its definitions. #}
closings_with_changes as (

    select
        closings.*,
        all_metrics.metric_code,
        coalesce(closings.catalog_digest = clock.catalog_digest, false)
            as is_same_catalog,
        coalesce(definitions.definition = metrics.definition, false)
            as is_same_definition
    from closings
    cross join all_metrics
    cross join clock
    left join definitions
        on
            closings.definitions_digest = definitions.definitions_digest
            and all_metrics.metric_code = definitions.metric_code
    left join metrics
        on all_metrics.metric_code = metrics.metric_code

)

select
    catalog_digest,
    definitions_digest,
    metric_code,
    case
        when is_same_catalog and is_same_definition then null
        when is_same_definition then 'catalog'
        when not is_same_catalog then 'catalog_or_definition'
        when definitions_digest is not null then 'definition'
        else 'unknown'
    end as difference_cause
from closings_with_changes
