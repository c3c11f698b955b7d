"""`python -m pipelines` is the command `meterline`."""

from pipelines.cli.app import app

app(prog_name="meterline")
