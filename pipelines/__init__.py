"""Meterline's Python: Dagster assets and the pure stages they call.

Data flows one way: landing → parse → decide → lake → (dbt) → close → (dbt) → publish.
A stage imports vocabulary (`schemas`, `periods`, `money`, `errors`), never another
stage; only the Dagster assets know the order.
"""
