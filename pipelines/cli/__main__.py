"""`python -m pipelines.cli` is the command `meterline`."""

from pipelines.cli.app import app

app()
