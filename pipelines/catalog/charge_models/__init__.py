"""Charge models: one module a model.

A model is a class below `Charge`. The columns in its body are those that its charges have and that
charges of other models leave empty; its `problems` are its rule. The module calls it `MODEL`. To
add a model, add its module here, and its SQL in the dbt project's folder `rating`.
"""
