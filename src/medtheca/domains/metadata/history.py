"""What changed from version to version of a description: whole for its people, and in a form for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from medtheca.domains.metadata.models import MetadataVersion
from medtheca.toolkit.schemas import DERMATOLOGY, Changes, compare_values, field_values, public_changes

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Accession


@dataclass(frozen=True, slots=True)
class Difference:
    """What one version changed: field → [before, after], None where there is no value."""

    structured: Changes
    unstructured: Changes


@dataclass(frozen=True, slots=True)
class PublicChange:
    """What everybody may know of a change: public fields only; the reason as it was given, no names of people."""

    at: datetime
    reason: str
    changes: Changes


def differences(version: MetadataVersion, *, before: MetadataVersion | None = None) -> Difference:
    """What a version changed against the one before it, which is looked up where it is not given."""
    if before is None and version.number > 1:
        before = MetadataVersion.objects.filter(accession=version.accession_id, number=version.number - 1).first()
    old: tuple[dict[str, Any], dict[str, Any]] = (before.structured, before.unstructured) if before else ({}, {})
    return Difference(
        compare_values(field_values(old[0], pack=DERMATOLOGY), field_values(version.structured, pack=DERMATOLOGY)),
        compare_values(old[1], version.unstructured),
    )


def differences_of(versions: Sequence[MetadataVersion]) -> list[Difference]:
    """What each of some versions of one accession changed, newest first, with one question to the database."""
    if not versions:
        return []
    wanted = {version.number - 1 for version in versions} - {version.number for version in versions}
    known = {version.number: version for version in versions}
    known |= {
        row.number: row for row in MetadataVersion.objects.filter(accession=versions[0].accession_id, number__in=wanted)
    }
    empty = MetadataVersion(number=0)
    return [differences(version, before=known.get(version.number - 1, empty)) for version in versions]


def public_history(accession: Accession, *, since: datetime | None = None) -> list[PublicChange]:
    """Changes of public fields after the accession was published (or after `since`), newest first.

    What was said before publication was never public; an exact age, private ids and unstructured values never are.
    """
    begun = since or accession.published
    if begun is None:
        return []
    versions = list(MetadataVersion.objects.filter(accession=accession).order_by("number"))
    shown = []
    before: dict[str, Any] = {}
    for version in versions:
        if version.created >= begun:
            changes = public_changes(before, version.structured, pack=DERMATOLOGY)
            if changes:
                shown.append(PublicChange(version.created, version.reason, changes))
        before = version.structured
    return shown[::-1]
