"""Alarms: a run that went wrong, or what it found, is told to whoever must know.

Belongs here: the bounds, the payload, and sending it. Must not be put here: when in a run it is
asked (see `alarm_assets`).

An alarm never fails a run and never holds it up for long: tries, time and answers are bounded,
and what went wrong is a sentence in the log. Without `METERLINE_ALARM_URL` nothing is sent.
Neither the URL's credentials nor its path, where receivers keep their tokens, reach a log.
The payload is documented in `docs/alarms.md`.
"""

import base64
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from pipelines.settings import Settings

PAYLOAD_VERSION = 1
"""Counts up when a field changes its meaning or goes; new fields may come without."""

TRIES = 3
"""How often a payload is sent before it is given up."""

TIMEOUT_SECONDS = 5.0
"""How long one try may take, whatever the receiver does."""

PAUSE_SECONDS = 1.0
"""Between two tries."""

_MESSAGE_CHARACTERS_MAX = 2000


@dataclass(frozen=True)
class RunSigns:
    """What a run found that a person may have to know.

    Attributes:
        batch_id: the last batch of events.
        lines: lines decided by this run, blank ones left out; 0 when it took in nothing.
        refused: of these, rejected or in conflict.
        conflicts: of these, in conflict.
        waiting_files: held and quarantined files of the home that nothing has healed.
        undecided_seconds: age of the oldest undecided file at the run's instant.
        undecided_path: that file; None when none waits.
    """

    batch_id: int
    lines: int
    refused: int
    conflicts: int
    waiting_files: int
    undecided_seconds: int
    undecided_path: str | None


@dataclass(frozen=True)
class Alarm:
    """A bound that was passed."""

    name: str
    value: str
    bound: str
    sentence: str


def passed_bounds(signs: RunSigns, settings: Settings) -> list[Alarm]:
    """The bounds that the signs lie beyond; at a bound there is no alarm."""
    found = []
    if signs.refused * 100 > settings.alarm_refused_percent * signs.lines:
        hundredths = signs.refused * 10_000 // signs.lines
        share = f"{hundredths // 100}.{hundredths % 100:02}"
        found.append(
            Alarm(
                "refused_percent",
                share,
                str(settings.alarm_refused_percent),
                f"{signs.refused:,} of {signs.lines:,} lines of this run ({share} %) are refused",
            )
        )
    for name, value, bound, sentence in (
        (
            "conflicts",
            signs.conflicts,
            settings.alarm_conflicts,
            f"{signs.conflicts:,} lines of this run contradict an accepted event",
        ),
        (
            "waiting_files",
            signs.waiting_files,
            settings.alarm_waiting_files,
            f"{signs.waiting_files:,} files are held or unreadable and hold back invoices",
        ),
        (
            "undecided_hours",
            signs.undecided_seconds / 3600,
            settings.alarm_undecided_hours,
            f"{signs.undecided_path} waits for {signs.undecided_seconds // 3600:,} hours",
        ),
    ):
        if value > bound:
            found.append(Alarm(name, f"{value:g}", str(bound), sentence))
    return found


def bounds_payload(
    settings: Settings, run_id: str, as_of: datetime, signs: RunSigns, alarms: list[Alarm]
) -> dict[str, Any]:
    """What is sent after a run whose signs passed a bound."""
    return _payload(settings, run_id, "bounds_passed") | {
        "as_of": f"{as_of:%Y-%m-%dT%H:%M:%SZ}",
        "alarms": [asdict(alarm) for alarm in alarms],
        "signs": asdict(signs),
    }


def failure_payload(
    settings: Settings, run_id: str, step: str | None, message: str
) -> dict[str, Any]:
    """What is sent when a run fails."""
    error = {"step": step, "message": message[:_MESSAGE_CHARACTERS_MAX]}
    return _payload(settings, run_id, "run_failed") | {"error": error}


def _payload(settings: Settings, run_id: str, kind: str) -> dict[str, Any]:
    return {
        "version": PAYLOAD_VERSION,
        "kind": kind,
        "home": str(settings.home),
        "run_id": run_id,
        "sent_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }


def send(settings: Settings, payload: Mapping[str, Any]) -> str:
    """Posts the payload; says in a sentence what became of it, and raises nothing.

    Returns:
        `off` without a URL, else a sentence that names the receiver's host alone.
    """
    if settings.alarm_url is None:
        return "off"
    url = settings.alarm_url.get_secret_value()
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    failure = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        failure = _posted(url, json.dumps(payload, ensure_ascii=False).encode())
        if not failure:
            return f"the alarm was delivered to {parts.scheme}://{place}"
    return f"the alarm was not delivered to {parts.scheme}://{place} in {TRIES} tries: {failure}"


def _posted(url: str, body: bytes) -> str:
    """Empty when the receiver took it, else why not; takes no longer than its time."""
    outcome: list[str] = []

    def post() -> None:
        outcome.append(_post(url, body))

    # A receiver that drips its answer keeps each read within its timeout: the thread is the
    # bound, and is left behind as a daemon.
    thread = threading.Thread(target=post, daemon=True, name="meterline-alarm")
    thread.start()
    thread.join(TIMEOUT_SECONDS)
    return outcome[0] if outcome else f"no answer within {TIMEOUT_SECONDS:g} s"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the payload to a host that nobody configured."""

    def redirect_request(self, *_arguments: Any) -> None:
        """None: the answer is an error."""
        return


def _post(url: str, body: bytes) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    headers = {"Content-Type": "application/json", "User-Agent": "meterline"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    try:
        request = urllib.request.Request(  # noqa: S310 -- the settings allow http and https alone
            urlunsplit(parts._replace(netloc=place)), data=body, headers=headers, method="POST"
        )
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=TIMEOUT_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        return f"it answered {error.code}"
    except Exception as error:
        return type(getattr(error, "reason", None) or error).__name__
