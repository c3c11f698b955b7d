"""Shares: the part of a full period that a case says its fees and bounds are due for."""

from pipelines.catalog.cells import COUNT, whole_number
from pipelines.preview.faults import Code
from pipelines.preview.fields import Fields, Members


def read_share(fields: Fields) -> tuple[int, int]:
    """The member `share`: days of service, and how many a full period has; 1 of 1 without it."""
    share = fields.inner("share")
    if isinstance(fields.members.get("share"), Members):
        share.require("days", "of")
    days = share.text("days", COUNT, 1)
    of_days = share.text("of", whole_number(1, 999_999_999), 1)
    share.close()
    if days is None or of_days is None:
        return 1, 1
    if days > of_days:
        share.note(Code.CONTRADICTION, "days", f"{days} are more than the {of_days} days of all; "
                   "lower them")  # fmt: skip
    return days, of_days
