"""Writing descriptions: every change is a version that says who, when, why and from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from medtheca.domains.accounts.models import User
from medtheca.domains.metadata.models import Description, MetadataFile, MetadataVersion
from medtheca.domains.provenance.models import Accession, Cohort
from medtheca.domains.storage.models import Blob


@dataclass(frozen=True, slots=True)
class Change:
    """New values of an accession, whole."""

    accession: Accession
    structured: dict[str, Any]
    unstructured: dict[str, str] = field(default_factory=dict)


def keep_metadata_file(
    *,
    cohort: Cohort,
    creator: User,
    name: str,
    blob: Blob,
    recipe: str,
    mapping: dict[str, Any] | None = None,
    apply_when_ready: bool = False,
    reason: str = "",
) -> MetadataFile:
    """Keep a spreadsheet as it came. Call inside `keeping_blobs`, after the permission was checked."""
    return MetadataFile.objects.create(
        cohort=cohort,
        creator=creator,
        actor=creator,
        name=name[:255],
        blob=blob,
        recipe=recipe,
        mapping=mapping or {},
        apply_when_ready=apply_when_ready,
        reason=reason,
    )


def lock_contributor(contributor_id: int) -> None:
    """Until the present transaction ends, nobody else changes descriptions of this contributor's accessions.

    What one image says of a lesion binds another: rules between rows hold only if changes come one after the other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"describe:{contributor_id}"])


def describe_accessions(
    *, changes: Sequence[Change], creator: User, source: MetadataFile | None = None, reason: str = ""
) -> int:
    """Apply changes in the present transaction, with a version each; return how many differed from what was there."""
    return len(write_versions(changes=changes, creator=creator, source=source, reason=reason))


def write_versions(
    *, changes: Sequence[Change], creator: User, source: MetadataFile | None = None, reason: str = ""
) -> dict[int, int]:
    """As `describe_accessions`; return the number of each accession's new version."""
    locked = {
        row.accession_id: row
        for row in Description.objects.select_for_update().filter(
            accession__in=[change.accession.pk for change in changes]
        )
    }
    descriptions: list[Description] = []
    versions: list[MetadataVersion] = []
    for change in changes:
        present = locked.get(change.accession.pk)
        if present and (present.structured, present.unstructured) == (change.structured, change.unstructured):
            continue
        number = present.version + 1 if present else 1
        values: dict[str, Any] = {"structured": change.structured, "unstructured": change.unstructured}
        descriptions.append(Description(accession=change.accession, version=number, **values))
        versions.append(
            MetadataVersion(
                accession=change.accession, number=number, source=source, reason=reason, creator=creator, **values
            )
        )
    Description.objects.bulk_create(
        descriptions,
        update_conflicts=True,
        unique_fields=["accession"],
        update_fields=["version", "structured", "unstructured", "modified"],
    )
    MetadataVersion.objects.bulk_create(versions)
    return {version.accession_id: version.number for version in versions}
