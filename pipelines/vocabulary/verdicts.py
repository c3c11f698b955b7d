"""Verdicts: what is decided about a line and about a file, and why.

Each list is closed. Source: design, verdicts.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """What was decided about a line; each line of a file has exactly one."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class Reason(StrEnum):
    """Why a line was rejected; the list is closed (design, verdicts)."""

    MALFORMED = "malformed"
    MISSING_FIELD = "missing_field"
    INVALID_TIMESTAMP = "invalid_timestamp"
    INVALID_PROPERTY = "invalid_property"
    TOO_LARGE = "too_large"
    SCHEMA_VIOLATION = "schema_violation"
    UNREADABLE_FILE = "unreadable_file"
    FUTURE = "future"
    TOO_LATE = "too_late"
    BACKDATED = "backdated"


class FileStatus(StrEnum):
    """What was decided about a file version as a whole."""

    DECIDED = "decided"
    QUARANTINED = "quarantined"
    HELD = "held"
