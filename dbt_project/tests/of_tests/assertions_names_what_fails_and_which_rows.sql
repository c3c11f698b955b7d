{# One row for each assertion, also for one that holds: its name, how many rows
   offend, and at most three of them, with what the assertion shows of them. #}
{% set positive = 'amount > 0' %}
{% set all = [
    {'unique_key': {'columns': ['name']} },
    {'row_satisfies': {'name': 'positive', 'expression': positive} },
    {'row_satisfies': {
        'name': 'first_positive',
        'expression': positive,
        'where': "name = 'a'"
    } },
    {'row_satisfies': {
        'name': 'shown',
        'expression': positive,
        'where': "name = 'b'",
        'shows': ['name', '0 - amount as difference']
    } },
    {'one_of': {
        'column_name': 'name',
        'values': ['a', 'b', 'c', 'd', 'e']
    } }
] %}

with

hand_made as (

    select amounts.* from (
        values
        ('a', 1), ('b', -2), ('c', -3), ('d', -4), ('e', -5), ('a', 6)
    ) as amounts (name, amount)

),

found as (

    {{ test_assertions('hand_made', all) }}

),

shown as (

    select
        assertion,
        offences,
        array_to_string(first_rows, ' ') as first_rows
    from found

),

expected as (

    select claims.* from (
        values
        ('unique_key(name)', 1, '{"name":"a","row_count":2}'),
        (
            'positive', 4,
            '{"name":"b","amount":-2} {"name":"c","amount":-3} '
            || '{"name":"d","amount":-4}'
        ),
        ('first_positive', 0, null),
        ('shown', 1, '{"name":"b","difference":2}'),
        ('one_of(name)', 0, null)
    ) as claims (assertion, offences, first_rows)

)

(select * from shown except select * from expected)
union all
(select * from expected except select * from shown)
