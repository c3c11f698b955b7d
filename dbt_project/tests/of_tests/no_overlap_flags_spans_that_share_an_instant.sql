{# Each name is a case; flagged are those that begin with "bad": spans that
   overlap, an open one before another, two since ever, one without length. #}
with

hand_made as (

    select spans.* from (
        values
        ('touching', 1, 2), ('touching', 2, 3),
        ('open ends', null, 2), ('open ends', 2, null),
        ('bad overlap', 1, 3), ('bad overlap', 2, 4),
        ('bad open end', 1, null), ('bad open end', 5, 6),
        ('bad open start', null, 2), ('bad open start', null, 3),
        ('bad length', 2, 2)
    ) as spans (name, span_start, span_end)

),

flagged as (

    {{ test_no_overlap('hand_made', ['name'], 'span_start', 'span_end') }}

)

select string_agg(name, ', ' order by name) as flagged_names
from flagged
having
    flagged_names is distinct from
    'bad length, bad open end, bad open start, bad overlap'
