"""Charge models: one module a model.

A model is a class below `Charge`, which its module calls `MODEL`: below `UsageCharge` if it prices
a metric, below `TieredCharge` if it has tiers. The columns that these classes declare are those
that its charges have and that charges of other models leave empty. `problems` is its rule about
them, `tier_problems` the one about tiers. To add a model, add its module here, and its SQL in the
dbt project: `macros/rating/charge_models/<name>.sql`.
"""
