{# Flagged: the key that stands twice with a null in its nullable column. #}
with

hand_made as (

    select key_parts.* from (
        values
        ('a', null), ('a', null), ('b', null), ('b', 1)
    ) as key_parts (first_part, second_part)

),

flagged as (

    {{ test_unique_key('hand_made', ['first_part'], ['second_part']) }}

)

select count(*) as flagged_count
from flagged
having count(*) != 1
