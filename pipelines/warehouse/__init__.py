"""Warehouse: dbt computes in it, and its marts are published as immutable generations.

Belongs here: running dbt, the tables it reads besides the lake, the gate, publication. Must not be
put here: SQL about usage or money (see `dbt_project`).
"""
