"""What became of each image that another archive was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from medtheca.domains.provenance.enums import AccessionState
from medtheca.domains.provenance.models import Origin, Verdict


class Fate(StrEnum):
    """What became of an image."""

    BROUGHT = "brought"
    WAITING = "waiting"
    HERE = "already_here"
    CHANGED = "changed_at_host"
    REFUSED = "refused"
    FAILED = "failed_at_host"
    WOULD = "would_be_brought"
    LEFT = "not_reached"


GOOD = {Fate.BROUGHT, Fate.HERE, Fate.CHANGED, Fate.WOULD}
"""What is no reason to look again; that an image changed at its host is told, and is not for this run to mend."""


@dataclass(slots=True)
class ImageVerdict:
    """One image: what became of it, why, and what would help. `values` are those that its metadata lost, with why."""

    isic_id: str
    fate: Fate
    words: str = ""
    remedy: str = ""
    accession: int | None = None
    size: int | None = None
    values: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """All images of a run, in the host's order. `stopped` says why it ended before the host's list did, if so."""

    images: dict[str, ImageVerdict] = field(default_factory=dict)
    found: int | None = None
    stopped: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many images had each fate."""
        return dict(Counter(str(image.fate) for image in self.images.values()))

    @property
    def is_complete(self) -> bool:
        """Whether all that was asked for is here, with all that the host says of it."""
        whole = all(image.fate in GOOD and not image.values for image in self.images.values())
        return whole and not self.stopped


def verdicts_by_path(origins: Iterable[Origin]) -> Mapping[tuple[object, str], Verdict]:
    """What the reception and the conversion said of what came, by delivery and file name."""
    deliveries = {origin.delivery_id for origin in origins if origin.delivery_id is not None}
    rows = Verdict.objects.filter(delivery__in=deliveries).order_by("ordinal")
    return {(row.delivery_id, row.path): row for row in rows}


def fate_of(origin: Origin, verdict: Verdict | None) -> tuple[Fate, str, str]:
    """What became of an image that was delivered: its fate, why, and what would help."""
    accession = origin.accession
    if origin.erased:
        return Fate.REFUSED, "It was erased here with its patient, and is not to come again.", ""
    if accession is not None and accession.state == AccessionState.CONVERTED:
        made = accession.delivery_id == origin.delivery_id
        return (Fate.BROUGHT, "", "") if made else (Fate.HERE, f"The same file was here, as {accession.name}.", "")
    if accession is not None and accession.state == AccessionState.RECEIVED:
        return Fate.WAITING, "It came, and waits to be converted.", "Workers go on with it."
    if verdict is None:
        return Fate.WAITING, "It came, and waits to be received.", "Workers go on with it."
    return Fate.REFUSED, verdict.words, verdict.remedy
