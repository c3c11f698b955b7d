{# Flagged: the unknown value, the null, and the other spelling. #}
with

hand_made as (

    select statuses.* from (
        values
        ('draft'), ('finalized'), ('voided'), (null), ('Draft')
    ) as statuses (status)

),

flagged as (

    {{ test_one_of('hand_made', 'status', ['draft', 'finalized']) }}

)

select count(*) as flagged_count
from flagged
having count(*) != 3
