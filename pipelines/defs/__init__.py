"""Dagster's definitions: assets, checks, sensors, resources, and Dagster's own home.

Belongs here: the order of the stages, and what Dagster shows of them. Must not be put here: rules.
"""
