with

definitions as (

    select * from {{ ref('stg_lake__definitions') }}

),

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

),

{# A description is for people: a period is not counted by it. #}
definitions_compared as (

    select
        definitions.definitions_digest,
        definitions.metric_code,
        coalesce(
            definitions.definition
            = {{ json_without('metrics_defined.definition', 'description') }},
            false
        ) as is_unchanged
    from definitions
    left join metrics_defined
        on definitions.metric_code = metrics_defined.metric_code

)

select * from definitions_compared
