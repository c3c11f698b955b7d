{# Flagged: the key that stands twice, and the one with a null. #}
with

hand_made as (

    select key_parts.* from (
        values
        ('a', 1), ('a', 2), ('b', 1), ('b', 1), (null, 3)
    ) as key_parts (first_part, second_part)

),

flagged as (

    {{ test_unique_key('hand_made', ['first_part', 'second_part']) }}

)

select count(*) as flagged_count
from flagged
having count(*) != 2
