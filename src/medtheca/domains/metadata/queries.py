"""Reading descriptions and metadata files."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import NotFound
from medtheca.domains.accounts.models import User
from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.metadata.models import MetadataFile, MetadataVersion
from medtheca.domains.provenance.access import visible_cohorts
from medtheca.domains.provenance.models import Accession, Cohort


def metadata_file_for(user: User | None, file_id: int) -> MetadataFile:
    """A metadata file of a cohort that the person may see. Raises `NotFound`."""
    found = (
        MetadataFile.objects.select_related("cohort__contributor", "blob", "creator", "applied_by")
        .filter(pk=file_id, cohort__in=visible_cohorts(user).values("pk"))
        .first()
    )
    if found is None:
        raise NotFound(f"There is no metadata file {file_id}.")
    return found


def metadata_files_of(cohort: Cohort) -> QuerySet[MetadataFile]:
    """Spreadsheets given to a cohort, newest first. The caller has asked for the cohort by `cohort_for`."""
    return MetadataFile.objects.filter(cohort=cohort).order_by("-created", "-pk")


def versions_of(accession: Accession) -> QuerySet[MetadataVersion]:
    """Every version of an accession's description, newest first."""
    return MetadataVersion.objects.filter(accession=accession).select_related("creator", "source").order_by("-number")


def stranded_files() -> QuerySet[MetadataFile]:
    """Spreadsheets that nobody has read or applied for longer than any job takes to begin."""
    running = [MetadataFileState.CHECKING, MetadataFileState.APPLYING, MetadataFileState.UNDOING]
    return MetadataFile.objects.select_related("cohort").filter(
        state__in=running, modified__lt=now() - timedelta(minutes=10)
    )
