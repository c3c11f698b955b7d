{# Equal in count and in total, and yet wrong: that is why sums are compared by
   key. Only "same" is right. #}
with

hand_made as (

    select amounts.* from (
        values
        ('same', 1), ('same', 2), ('too little', 1), ('too much', 4),
        ('not there', 5), ('null', 6), ('null', null)
    ) as amounts (name, amount)

),

compared as (

    select totals.* from (
        values
        ('same', 3), ('too little', 2), ('too much', 3),
        ('only there', 5), ('null', 6)
    ) as totals (name, total)

),

flagged as (

    {{ test_conserves('hand_made', 'compared', ['name'], {'amount': 'total'}) }}

)

select string_agg(name, ', ' order by name) as flagged_names
from flagged
having
    flagged_names is distinct from
    'not there, null, only there, too little, too much'
