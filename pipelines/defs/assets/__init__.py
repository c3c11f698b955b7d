"""The assets, one module a stage, in the order from the landing to the published marts.

Belongs here: handing each stage its inputs, and metadata about what it gave. Must not be put here:
rules (see the stages), SQL (see `dbt_project`).
"""
