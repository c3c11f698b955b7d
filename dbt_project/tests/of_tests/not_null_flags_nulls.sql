{# Flagged: the two rows without a value; an empty text is one. #}
with

hand_made as (

    select customers.* from (
        values
        (1, 'a'), (2, null), (3, ''), (4, null)
    ) as customers (id, customer)

),

flagged as (

    {{ test_not_null('hand_made', 'customer') }}

)

select string_agg(id, ', ' order by id) as flagged_ids
from flagged
having flagged_ids is distinct from '2, 4'
