"""Preview: cases in JSON, worked out by the calendar and the prices that bill, without a home.

Belongs here: how a case is read and answered, and one module a kind in `kinds`. Must not be put
here: rules of periods, days or money.
"""
