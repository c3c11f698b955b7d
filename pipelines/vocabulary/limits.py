"""The limits on what a sender may send, so that no file can exhaust the machine.

Each limit is inclusive: a value at the limit is read. A home's settings may change the last two.

Source: design, invariants (limits).
"""

LINE_BYTES_MAX = 1024 * 1024
"""Bytes of the longest line that is read. A longer line is rejected as `too_large`."""

NESTING_DEPTH_MAX = 8
"""Levels of objects and arrays in a line, at most. The line's own object is the first level.

Source: Segment's common fields reach the fifth level (`context.userAgentData.brands[].brand`).
"""

PROPERTIES_MAX = 200
"""Properties of one event, at most."""

NAME_BYTES_MAX = 255
"""Bytes of an idempotency key, customer reference, event name or property name, at most."""

OBJECT_BYTES_MAX = 2 * 1024**3
"""Bytes of a landed object, compressed if it is, at most."""

RAW_BYTES_MAX = 20 * 1024**3
"""Bytes of a decompressed object, at most."""

COMPRESSION_RATIO_MAX = 200
"""Decompressed bytes per landed byte, at most. The first MiB is free.

An object beyond this ratio is treated as a decompression bomb.
"""

HELD_PERCENT = 10
"""A file is held when more than this percentage of its lines is rejected."""

HELD_REJECTIONS_MIN = 2
"""A file with fewer rejected lines is not held. In a file of nine lines one bad line is 11 %."""
