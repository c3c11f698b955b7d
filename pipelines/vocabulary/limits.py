"""Limits: what a sender must keep, so that no file can exhaust the machine.

Source: design, invariants (limits).
"""

LINE_BYTES_MAX = 1024 * 1024
"""Longest line that is read; a longer one is rejected as too_large."""

NESTING_DEPTH_MAX = 8
"""Deepest nesting of objects and arrays in a line.

Source: Segment's common fields reach the fifth level (`context.userAgentData.brands[].brand`).
"""

PROPERTIES_MAX = 200
"""Most properties one event may carry."""

NAME_BYTES_MAX = 255
"""Longest idempotency key, customer reference, event name and property name, in bytes."""

OBJECT_BYTES_MAX = 2 * 1024**3
"""Largest object as landed (compressed)."""

RAW_BYTES_MAX = 20 * 1024**3
"""Largest object once decompressed."""

COMPRESSION_RATIO_MAX = 200
"""Largest ratio of raw to landed bytes beyond the first MiB: more is taken for a bomb."""
