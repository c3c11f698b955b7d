"""The exceptions Meterline raises when a promise is broken.

Belongs here: the tree, nothing else. Data problems are not exceptions: a bad line is a
rejection with a reason, a bad file is a quarantine (see `schemas`).
"""


class MeterlineError(Exception):
    """Anything Meterline stops for; its text tells a person what to do."""


class CatalogError(MeterlineError):
    """The catalog contradicts itself; nothing has been written.

    Attributes:
        problems: one sentence each, naming file, row and column.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(
            f"the catalog has {len(problems)} problem(s); nothing was written:\n{listed}"
        )


class LandingError(MeterlineError):
    """The landing cannot be listed or read (wrong address, credentials, network)."""


class LakeError(MeterlineError):
    """The lake refuses: a newer schema, a path registered twice, a broken rule."""


class OlderSchemaError(LakeError):
    """The lake has an earlier schema, or no tables yet; the next run migrates it."""


class AlreadyRunningError(MeterlineError):
    """Another run holds the writer lock of this home."""


class InvariantError(MeterlineError):
    """What was written does not add up; nothing is published or finalized."""


class UnreadableFileError(Exception):
    """The file cannot be read to its end; its message says why. It is quarantined."""
