{# Flagged: the row that does not add up, and the two with a null in it. #}
with

hand_made as (

    select sums.* from (
        values
        (3, 1, 2), (3, 1, 1), (3, null, 3), (null, 1, 2)
    ) as sums (total, one, other)

),

flagged as (

    {{ test_row_satisfies('hand_made', 'total = one + other') }}

)

select count(*) as flagged_count
from flagged
having count(*) != 3
