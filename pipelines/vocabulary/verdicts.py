"""Verdicts: the decisions about a line and about a file, and the reasons of a rejection.

Each list is closed. Source: design, verdicts.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """The decision about a line. Each line that is not blank has exactly one."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    NOT_USAGE = "not_usage"


class Reason(StrEnum):
    """The reason code of a rejected line, or of a quarantined file."""

    MALFORMED = "malformed"
    MISSING_FIELD = "missing_field"
    INVALID_TIMESTAMP = "invalid_timestamp"
    INVALID_PROPERTY = "invalid_property"
    TOO_LARGE = "too_large"
    SCHEMA_VIOLATION = "schema_violation"
    UNREADABLE_FILE = "unreadable_file"
    NOT_DECLARED_FORMAT = "not_declared_format"
    FUTURE = "future"
    TOO_LATE = "too_late"
    BACKDATED = "backdated"


class FileStatus(StrEnum):
    """The decision about a file version as a whole."""

    DECIDED = "decided"
    QUARANTINED = "quarantined"
    HELD = "held"
