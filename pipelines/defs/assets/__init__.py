"""Assets: one module per stage, from the catalog and the landing to the published marts.

Belongs here: giving each stage its inputs, and metadata about its outcome. Must not be put here:
rules (see the stages), SQL (see `dbt_project`).
"""
