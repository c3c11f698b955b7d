"""Benchmarks and the makers of their input: outside the pipeline, which never imports them."""
