"""What became of an image after it was published, for everybody who sees it: the public change log.

Every entry is public: no names of people, cohorts, groups or files, no private values. What was before the first
publication was never public and stays so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from medtheca.base.clock import now
from medtheca.domains.access.enums import Visibility
from medtheca.domains.imaging.models import Image
from medtheca.domains.ledger.queries import events_of
from medtheca.domains.metadata.history import public_history
from medtheca.domains.provenance.enums import VersionKind
from medtheca.domains.provenance.models import Accession, FileVersion, PublishItem
from medtheca.domains.provenance.outcomes import items_published

_SHOWN_TO = {
    Visibility.PUBLIC: "Published for everybody.",
    Visibility.SIGNED_IN: "Published for people who are logged in.",
    Visibility.GROUPS: "Published for named groups.",
}
_FILES = {
    VersionKind.REPLACEMENT: ("file_replaced", "The file was replaced."),
    VersionKind.REDACTION: ("redacted", "Parts of the picture were blacked out."),
}
_FILE_VERBS = ("image.file_replaced", "image.redacted")


@dataclass(frozen=True, slots=True)
class Change:
    """One entry: `kind` for programs, `words` for people; `changes` are public fields, each with before and after."""

    at: datetime
    kind: str
    words: str
    reason: str = ""
    changes: dict[str, list[Any]] = field(default_factory=dict)


def changes_of(image: Image, accession: Accession | None) -> list[Change]:
    """The change log, newest first; empty for what was never published.

    The caller has found the image by `image_for`, so that nobody reads of what they may not see.
    """
    if accession is None:
        return []
    published = list(_publications(accession))
    if not published:
        return []
    begun = min(change.at for change in published)
    events = [change for change in _events(image, accession) if change.at >= begun]
    metadata = [
        Change(row.at, "metadata", "The metadata were corrected.", row.reason, row.changes)
        for row in public_history(accession, since=begun)
    ]
    return sorted([*published, *events, *metadata], key=lambda change: change.at, reverse=True)


def _publications(accession: Accession) -> Iterator[Change]:
    found = False
    for item in items_published(accession):
        found = True
        shown = _when(item)
        if shown <= now():
            yield Change(shown, "published", _SHOWN_TO[Visibility(item.request.visibility)])
    if not found and accession.published is not None:
        yield Change(accession.published, "published", "Published.")


def _when(item: PublishItem) -> datetime:
    request = item.request
    decided = request.decided or request.created
    return max(decided, request.opens) if request.opens else decided


def _events(image: Image, accession: Accession) -> Iterator[Change]:
    versions = {row.number: row for row in FileVersion.objects.filter(accession=accession)}
    for event in events_of("image", image.pk):
        if event.verb in _FILE_VERBS and (version := versions.get(event.details.get("version", 0))):
            kind, words = _FILES.get(VersionKind(version.kind), ("file_changed", "The file was changed."))
            yield Change(event.at, kind, words, version.reason)
        elif event.verb == "image.relicensed":
            # Its reason was written for the record, not for everybody; so was that of making an image private.
            before, after = event.details.get("from"), event.details.get("to")
            yield Change(event.at, "licence", f"The licence was changed from {before} to {after}.")
        elif event.verb == "image.unpublished":
            yield Change(event.at, "made_private", "Made private.")
        elif event.verb == "image.withdrawn":
            yield Change(event.at, "withdrawn", "Withdrawn.")
