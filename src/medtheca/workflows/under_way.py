"""Long work that one person set going and that has not ended: what, how far, and where to look.

Each kind of work is a function in `SOURCES`; a new kind adds one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q

from medtheca.domains.accounts.models import User
from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.provenance.enums import DeliveryState, ErasureStage, ErasureState, Outcome, RequestState
from medtheca.domains.provenance.models import Delivery, Erasure, PublishRequest
from medtheca.domains.trials.enums import InspectionState
from medtheca.domains.trials.models import Inspection

MOST_OF_A_KIND = 50


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work under way. `total` is None until it is known; `done` counts in `unit`."""

    kind: str
    id: str
    title: str
    state: str
    done: int
    total: int | None
    unit: str
    begun: datetime
    url: str

    @property
    def part(self) -> int | None:
        """Per cent, or None where the total is not known."""
        return None if not self.total else min(100, 100 * self.done // self.total)


def work_of(user: User) -> list[Work]:
    """The person's own long work under way, the latest first."""
    found = [work for source in SOURCES for work in source(user)]
    return sorted(found, key=lambda work: work.begun, reverse=True)


def _deliveries(user: User) -> Iterator[Work]:
    """Uploads that are whole and are being unpacked and read."""
    whole = Q(state=DeliveryState.ARRIVING, upload__offset=F("upload__size"))
    busy = Delivery.objects.filter(whole | Q(state__in=[DeliveryState.UNPACKING, DeliveryState.CONVERTING]))
    rows = busy.filter(upload__owner=user).select_related("upload", "cohort").order_by("-created")[:MOST_OF_A_KIND]
    for row in rows.annotate(judged=Count("verdicts", filter=~Q(verdicts__outcome=Outcome.WAITING))):
        yield Work(
            kind="delivery",
            id=str(row.pk),
            title=f"Upload to {row.cohort.name}",
            state=row.state,
            done=row.judged,
            total=row.members,
            unit="files",
            begun=row.created,
            url=f"/uploads/{row.pk}/",
        )


def _metadata_files(user: User) -> Iterator[Work]:
    """Spreadsheets that are being checked, applied or undone."""
    busy = [MetadataFileState.CHECKING, MetadataFileState.APPLYING, MetadataFileState.UNDOING]
    rows = MetadataFile.objects.filter(Q(actor=user) | Q(actor=None, creator=user), state__in=busy)
    for row in rows.select_related("cohort").order_by("-created")[:MOST_OF_A_KIND]:
        yield Work(
            kind="metadata_file",
            id=str(row.pk),
            title=f"Spreadsheet for {row.cohort.name}",
            state=row.state,
            done=row.done,
            total=row.total or None,
            unit="rows",
            begun=row.modified,
            url=f"/metadata-files/{row.pk}/",
        )


def _publish_requests(user: User) -> Iterator[Work]:
    """Accepted requests whose images are being published."""
    rows = PublishRequest.objects.filter(Q(requester=user) | Q(decided_by=user), state=RequestState.PUBLISHING)
    counted = rows.annotate(ready=Count("items", filter=Q(items__done=True)), wanted=Count("items"))
    for row in counted.select_related("cohort").order_by("-created")[:MOST_OF_A_KIND]:
        yield Work(
            kind="publish_request",
            id=str(row.pk),
            title=f"Publication of {row.cohort.name}",
            state=row.state,
            done=row.ready,
            total=row.wanted,
            unit="images",
            begun=row.decided or row.created,
            url="/publish-requests/",
        )


def _inspections(user: User) -> Iterator[Work]:
    """Dry runs."""
    busy = [InspectionState.WAITING, InspectionState.RUNNING]
    for row in Inspection.objects.filter(owner=user, state__in=busy).order_by("-created")[:MOST_OF_A_KIND]:
        yield Work(
            kind="inspection",
            id=str(row.pk),
            title="Dry run",
            state=row.state,
            done=row.done,
            total=row.total or None,
            unit="files",
            begun=row.created,
            url=f"/inspect/{row.pk}/",
        )


def _erasures(user: User) -> Iterator[Work]:
    """Erasures that two people have decided on; how far they are is counted in stages, and names nobody."""
    stages = [stage.value for stage in ErasureStage]
    mine = Erasure.objects.filter(Q(requester=user) | Q(decider=user), state=ErasureState.ERASING)
    for row in mine.order_by("-requested")[:MOST_OF_A_KIND]:
        yield Work(
            kind="erasure",
            id=str(row.pk),
            title="Erasure of a patient",
            state=row.state,
            done=stages.index(row.stage),
            total=len(stages) - 1,
            unit="stages",
            begun=row.decided or row.requested,
            url=f"/erasures/{row.pk}/",
        )


SOURCES: tuple[Callable[[User], Iterator[Work]], ...] = (
    _deliveries,
    _metadata_files,
    _publish_requests,
    _inspections,
    _erasures,
)
