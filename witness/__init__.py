"""The witness: what the product computes, computed again by other code, so that it can disagree.

Each rule is one plain function, written from the contract alone. Nothing here imports `pipelines`,
dbt, Polars or numba, and nothing is shared with them but the rules of time zones in `tzdata`.
"""
