"""Notices: an alarm as a short text, delivered by `apprise` to e-mail, Slack and other services.

A notice never fails a run and never holds it up for long. No log has more of an address than its
service, because addresses contain passwords.
"""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from pipelines.settings import Settings
from pipelines.vocabulary.counted import counted

TIMEOUT_SECONDS = 15.0
"""How long all deliveries of one notice may take together."""

_OBEYED = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'", "*": "∗", "[": "(", "]": ")"})
"""Signs by which a text of senders would call people, make a link or change how it looks."""


def notice_of(payload: Mapping[str, Any]) -> tuple[str, str]:
    """Title and text of the alarm.

    Args:
        payload: as `alarms.bounds_payload` and `alarms.failure_payload` make it.
    """
    if payload["kind"] == "run_failed":
        step = payload["error"]["step"]
        title = "Meterline: a run failed" + (f" at {step}" if step else "")
        said = [payload["error"]["message"]]
    else:
        title = f"Meterline: {counted(len(payload['alarms']), 'alarm')}"
        said = [alarm["sentence"] for alarm in payload["alarms"]]
    place = f"Home {payload['home']}, run {payload['run_id']}. `meterline status` says what to do."
    text = "\n".join([*said, "", place])
    return title, text.translate(_OBEYED)


def addresses_of(settings: Settings) -> tuple[str, ...]:
    """The addresses of `METERLINE_ALARM_NOTIFY`, in its order; none when it is not set."""
    written = settings.alarm_notify
    return tuple(written.get_secret_value().split()) if written else ()


def notify(addresses: tuple[str, ...], payload: Mapping[str, Any]) -> list[str]:
    """One sentence per address: what became of the notice there. It raises nothing.

    Args:
        addresses: as `apprise` reads them, such as `slack://…`.
        payload: of the alarm.
    """
    if not addresses:
        return []
    # What the library logs could name an address.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    title, text = notice_of(payload)
    outcomes: dict[int, str] = {}

    def deliver(number: int, address: str) -> None:
        outcomes[number] = _failure(address, title, text)

    threads = [
        threading.Thread(target=deliver, args=each, daemon=True, name="meterline-notice")
        for each in enumerate(addresses)
    ]
    for thread in threads:
        thread.start()
    # The threads share the time: one that hangs is left behind as a daemon.
    deadline = time.monotonic() + TIMEOUT_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"no answer within {TIMEOUT_SECONDS:g} s"
    return [
        _sentence(address, outcomes.get(number, late)) for number, address in enumerate(addresses)
    ]


def unknown_addresses(addresses: tuple[str, ...]) -> list[str]:
    """One sentence per address that `apprise` does not understand; it names the service alone."""
    return [
        f"METERLINE_ALARM_NOTIFY: {_service(address)}://… is no address that apprise understands"
        for address in addresses
        if _opened(address) is None
    ]


def _sentence(address: str, failure: str) -> str:
    if failure:
        return f"the notice was not delivered by {_service(address)}: {failure}"
    return f"the notice was delivered by {_service(address)}"


def _service(address: str) -> str:
    return address.partition("://")[0]


def _opened(address: str) -> Any:
    """The service that the address names; None if there is no such service."""
    # Imported here: it brings a hundred services, and most runs have nothing to say.
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    asset = apprise.AppriseAsset(app_id="Meterline", app_desc="Meterline", app_url="")
    return apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)


def _failure(address: str, title: str, text: str) -> str:
    """Why the service did not take the notice; empty when it did."""
    try:
        service = _opened(address)
        if service is None:
            return "apprise does not understand the address"
        is_taken = service.notify(title=title, body=text, notify_type="warning", body_format="text")
    except Exception as error:
        return type(error).__name__
    return "" if is_taken else "the service did not take it"
