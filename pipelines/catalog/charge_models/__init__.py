"""Charge models: one module a model.

A model is a class below `Charge`, which its module calls `MODEL`. The columns in its body are those
that its charges have and that charges of other models leave empty. `problems` is its rule about
them, `tier_problems` the one about tiers. To add a model, add its module here, and its SQL in the
dbt project: `models/rating/charge_models/int_tiers_rated_<name>.sql`.
"""
