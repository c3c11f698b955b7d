"""Dialects: what each vendor's customers send, as one small module each.

A dialect turns one strict JSON object into the typed fields of a usage event, or raises
`RefusedLineError` with a reason. Adding a dialect is adding a module and a line in `DIALECTS`.
Must not be put here: verdicts that need other events or the catalog (see `decide`).
"""

from collections.abc import Mapping
from types import MappingProxyType

from pipelines.dialects import cloudevents, lago, metronome, orb, segment, stripe, togai
from pipelines.dialects.event import EventFields, RefusedLineError, unwrapped
from pipelines.dialects.form import Dialect

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "cloudevents": cloudevents.DIALECT,
        "lago": lago.DIALECT,
        "metronome": metronome.DIALECT,
        "orb": orb.DIALECT,
        "segment": segment.DIALECT,
        "stripe": stripe.DIALECT,
        "togai": togai.DIALECT,
    }
)
"""Dialect by the name used in `sources.csv`."""

__all__ = ["DIALECTS", "Dialect", "EventFields", "RefusedLineError", "unwrapped"]
