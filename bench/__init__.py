"""Bench: benchmarks, and the programs that make their input. The pipeline never imports them."""
