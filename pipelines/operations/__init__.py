"""Operations: what a home holds and what needs a person.

Belongs here: status, what waits, alarms, and whether a run would find anything. Must not be put
here: changing anything, or printing (see `cli`). Rows that another room shows are dataclasses.
"""
