"""Dagster's definitions: assets, checks, sensors, resources, and Dagster's own home.

Belongs here: the order of the stages, and how Dagster shows them. Must not be put here: rules.
"""
