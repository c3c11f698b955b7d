"""Acts about the books: what people may ask for, beside what runs do by themselves."""

from dataclasses import dataclass
from enum import StrEnum


class ActKind(StrEnum):
    """The kinds of an act, as the lake table `acts` has them.

    Attributes:
        VOID: a finalized invoice is void.
        REISSUE: the periods of an invoice were opened, and closed anew.
        ACCEPT: what an edit added to the past of a subscription may be billed.
        WAIVE: a held or unreadable file holds back nobody.
        RELEASE: a held file was let in.
        HOLD: a draft was held back when others were closed, because an edit added it to the past.
        WAIVER_USED: an invoice was finalized although a waived file may concern it.
    """

    VOID = "void"
    REISSUE = "reissue"
    ACCEPT = "accept"
    WAIVE = "waive"
    RELEASE = "release"
    HOLD = "hold"
    WAIVER_USED = "waiver_used"


REASON_LENGTH_MAX = 500
"""Characters of a reason, or of a name."""


@dataclass(frozen=True)
class Asked:
    """What a person asks for.

    Attributes:
        by: the person's name, as given.
        reason: why, in the person's words; empty if none is needed.
        void: numbers of the invoices to void.
        reissue: numbers of the invoices whose periods are closed anew.
        accept: subscriptions whose added past may be billed.
        waive: paths of files that shall hold back nobody.
    """

    by: str
    reason: str = ""
    void: tuple[str, ...] = ()
    reissue: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    waive: tuple[str, ...] = ()

    def problem(self) -> str | None:
        """Why nobody can ask for this, in a sentence; None if it is in order."""
        for option, value in (("--by", self.by), ("--reason", self.reason)):
            if not value.isprintable() or value != value.strip():
                return (
                    f"{option}: expected one line of printable text without spaces around it, "
                    f"found {value!a}"
                )
            if len(value) > REASON_LENGTH_MAX:
                return (
                    f"{option}: expected at most {REASON_LENGTH_MAX} characters, found {len(value)}"
                )
        if not self.by:
            return "--by: expected a name, found none; say who asks for it"
        if self.void and not self.reason:
            return "--reason: expected why the invoice is void, found nothing"
        if self.reissue and not self.reason:
            return "--reason: expected why the invoice is reissued, found nothing"
        return None


@dataclass(frozen=True)
class Void:
    """The document that ends an invoice, as the next link of the chain.

    Attributes:
        chain_position: its place in the chain.
        canonical_json: the document as canonical JSON.
        document_sha256: SHA-256 (hex) of its UTF-8 bytes.
        previous_chain_sha256: the link before it.
        chain_sha256: its own link.
    """

    chain_position: int
    canonical_json: str
    document_sha256: str
    previous_chain_sha256: str
    chain_sha256: str


@dataclass(frozen=True)
class Act:
    """An act that is not written down yet; fields are null where they do not concern it.

    Attributes:
        kind: what is done.
        subscription_id: subscription concerned.
        invoice_id: invoice or draft concerned.
        file_id: file version concerned.
        asked_by: name of who asked for it; None for what a run does by itself.
        reason: why.
        void: the document of a void.
    """

    kind: ActKind
    subscription_id: str | None = None
    invoice_id: str | None = None
    file_id: int | None = None
    asked_by: str | None = None
    reason: str | None = None
    void: Void | None = None
