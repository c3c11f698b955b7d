{# The target is the last accepted event of the key before the amendment, or
   else the first after it: a key that comes again after its window is a new
   event. #}
with

amendments as (

    select * from {{ ref('stg_lake__accepted_events') }}
    where amendment is not null

),

{# Of all events, only those that an amendment names. The lake is read twice:
   what two parts of a query share is kept whole until both have read it. #}
events_with_key as (

    select
        dedupe_scope,
        idempotency_key,
        batch_id,
        file_id,
        line,
        received_at
    from {{ ref('stg_lake__accepted_events') }}
    where
        amendment is null
        and (dedupe_scope, idempotency_key) in (
            select (amendments.dedupe_scope, amendments.target_key)
            from amendments
        )

),

amendments_with_candidates as (

    select
        amendments.*,
        events_with_key.file_id as target_file_id,
        events_with_key.line as target_line,
        events_with_key.batch_id as target_batch_id,
        events_with_key.received_at as target_received_at,
        (events_with_key.file_id, events_with_key.line)
        < (amendments.file_id, amendments.line) as is_after_target
    from amendments
    left join events_with_key
        on
            amendments.dedupe_scope = events_with_key.dedupe_scope
            and amendments.target_key = events_with_key.idempotency_key

),

amendments_with_rank as (

    select
        *,
        row_number() over (
            partition by file_id, line
            order by
                is_after_target desc,
                case when is_after_target then target_file_id end desc,
                case when is_after_target then target_line end desc,
                target_file_id asc,
                target_line asc
        ) as candidate_rank
    from amendments_with_candidates

),

amendments_with_target as (

    select * from amendments_with_rank
    where candidate_rank = 1

)

select
    file_id,
    line,
    amendment,
    idempotency_key,
    target_key,
    target_file_id,
    target_line,
    case
        when target_file_id is not null
            then
                cast(row_number() over (
                    partition by target_file_id, target_line
                    order by file_id, line
                ) as integer)
    end as version_number,
    target_batch_id,
    target_received_at,
    greatest(batch_id, target_batch_id) as amended_batch_id,
    greatest(received_at, target_received_at) as amended_received_at
from amendments_with_target
