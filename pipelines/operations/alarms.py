"""Alarms: what a run found, or that it failed, is sent to whoever must know.

An alarm never fails a run and never holds it up for long: tries, time and answers are bounded,
and what went wrong is a sentence in the log. Without `METERLINE_ALARM_URL` and
`METERLINE_ALARM_NOTIFY` nothing is sent. Neither the URL's credentials nor its path, where
receivers keep their tokens, reach a log.
The payload is documented in `docs/alarms.md`.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from pipelines.operations.notices import addresses_of, notify
from pipelines.settings import Settings
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.visible import visible

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

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
        lines: lines decided by this run, without blank ones and those that are not usage; 0 when
            it took in nothing.
        refused: of these, rejected or in conflict.
        conflicts: of these, in conflict.
        waiting_files: held and quarantined files of the home that nothing has healed.
        undecided_seconds: age of the oldest undecided file at the run's instant.
        undecided_path: that file; None when none waits.
        unclaimed_files: landed files that no run can take in, such as those of a folder without
            a row in `sources.csv`.
        unfinished_seconds: age of the oldest unfinished upload when the landing was listed.
        unfinished_path: that upload; None when there is none.
    """

    batch_id: int
    lines: int
    refused: int
    conflicts: int
    waiting_files: int
    undecided_seconds: int
    undecided_path: str | None
    unclaimed_files: int = 0
    unfinished_seconds: int = 0
    unfinished_path: str | None = None


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
                f"this run refused {signs.refused:,} of {counted(signs.lines, 'line')} ({share} %)",
            )
        )
    for name, value, bound, sentence in (
        (
            "conflicts",
            signs.conflicts,
            settings.alarm_conflicts,
            counted(
                signs.conflicts,
                "line of this run contradicts an accepted event",
                "lines of this run contradict an accepted event",
            ),
        ),
        (
            "waiting_files",
            signs.waiting_files,
            settings.alarm_waiting_files,
            counted(
                signs.waiting_files,
                "file is held or unreadable and holds back invoices",
                "files are held or unreadable and hold back invoices",
            ),
        ),
        (
            "undecided_hours",
            signs.undecided_seconds / 3600,
            settings.alarm_undecided_hours,
            f"{visible(signs.undecided_path or '')} has waited for "
            f"{counted(signs.undecided_seconds // 3600, 'hour')}",
        ),
        (
            "unclaimed_files",
            signs.unclaimed_files,
            settings.alarm_waiting_files,
            counted(
                signs.unclaimed_files,
                "landed file cannot be taken in and holds back invoices",
                "landed files cannot be taken in and hold back invoices",
            )
            + ": `meterline status` says why",
        ),
        (
            "unfinished_hours",
            signs.unfinished_seconds / 3600,
            settings.alarm_undecided_hours,
            f"{signs.unfinished_path} has the name of an unfinished upload since "
            f"{counted(signs.unfinished_seconds // 3600, 'hour')}: rename it, or delete it",
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
    """Posts the payload and sends the notice; says what became of both, and raises nothing.

    Returns:
        `off` without a receiver. Else a sentence for each, which names a host or a service alone.
    """
    posted = [_post(settings.alarm_url, payload)] if settings.alarm_url else []
    return "; ".join([*posted, *notify(addresses_of(settings), payload)]) or "off"


def _post(url: SecretStr, payload: Mapping[str, Any]) -> str:
    """What became of the POST, in a sentence that names the receiver's host alone."""
    import requests

    # What the library itself logs names the URL's path.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    parts = urlsplit(url.get_secret_value())
    place = parts.netloc.rpartition("@")[2]
    post = partial(
        requests.post,
        parts._replace(netloc=place).geturl(),
        json=payload,
        headers={"User-Agent": "meterline"},
        auth=_Credentials(parts.username, parts.password),
        timeout=TIMEOUT_SECONDS,
        # A redirect would carry the payload to a host that nobody configured.
        allow_redirects=False,
        # The status is all that counts; a body of any length is left unread.
        stream=True,
    )
    failure = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        failure = _failure_in_time(post)
        if not failure:
            return f"the alarm was delivered to {parts.scheme}://{place}"
    return f"the alarm was not delivered to {parts.scheme}://{place} in {TRIES} tries: {failure}"


@dataclass(frozen=True)
class _Credentials:
    """Those of the URL, and no others: left to itself, `requests` looks into `~/.netrc`."""

    username: str | None
    password: str | None

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        from requests.auth import HTTPBasicAuth

        if self.username is None:
            return request
        pair = (unquote(self.username).encode(), unquote(self.password or "").encode())
        return HTTPBasicAuth(*pair)(request)


def _failure_in_time(post: Callable[[], "Response"]) -> str:
    """Why the receiver did not take it, empty when it did; known within `TIMEOUT_SECONDS`."""
    outcome: list[str] = []

    def try_it() -> None:
        outcome.append(_failure(post))

    # A receiver that drips its answer keeps each read within its timeout: the thread is the
    # bound, and is left behind as a daemon.
    thread = threading.Thread(target=try_it, daemon=True, name="meterline-alarm")
    thread.start()
    thread.join(TIMEOUT_SECONDS)
    return outcome[0] if outcome else f"no answer within {TIMEOUT_SECONDS:g} s"


def _failure(post: Callable[[], "Response"]) -> str:
    try:
        with post() as answer:
            is_taken = 200 <= answer.status_code < 300
            return "" if is_taken else f"it answered {answer.status_code}"
    except Exception as error:
        return type(_first_cause(error)).__name__


def _first_cause(error: BaseException) -> BaseException:
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error
