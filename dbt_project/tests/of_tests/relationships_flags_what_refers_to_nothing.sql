{# Flagged: the stranger. A null refers to nothing, and a parent that stands
   twice flags and repeats nobody. #}
with

children as (

    select pairs.* from (
        values
        (1, 'known'), (2, 'stranger'), (3, null), (4, 'known')
    ) as pairs (id, parent_name)

),

parents as (

    select customers.* from (
        values
        ('known'), ('known'), ('unused'), (null)
    ) as customers (customer)

),

flagged as (

    {{ test_relationships('children', 'parent_name', 'parents', 'customer') }}

)

select string_agg(id, ', ' order by id) as flagged_ids
from flagged
having flagged_ids is distinct from '2'
