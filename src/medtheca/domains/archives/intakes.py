"""Files on their way into an archive: given, put together, settled into items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import Asker, editable_archives, person_of, require_editor, require_uploader
from medtheca.domains.archives.enums import IntakeState
from medtheca.domains.archives.models import Archive, Intake, IntakeUpload, Item
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.enums import DeliveryState
from medtheca.domains.provenance.models import Delivery
from medtheca.domains.sockets.models import Socket
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.domains.storage.models import Upload
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.grouping import Rule
from medtheca.toolkit.sockets.kinds import SuperKind

GENERIC = "generic-medical-image"
"""Where an image goes of which nobody said anything."""

MOST_FILES = 10_000
"""Uploads that may become values together."""

MOST_OPEN = 1000
"""Intakes of one person that may be under way."""

OPEN = (IntakeState.WAITING, IntakeState.RECEIVING)


@dataclass(frozen=True, slots=True)
class GivenUpload:
    """One upload of an intake, with the path that it had in its folder."""

    upload: Upload
    path: str


def open_intake(
    *,
    archive: Archive,
    creator: User,
    socket: Socket,
    uploads: Sequence[GivenUpload],
    item: Item | None = None,
    name: str = "",
    rule: dict[str, Any] | None = None,
) -> Intake:
    """Give uploads that are taken (`storage.open_ended.take_upload`) to an archive; a job makes something of them.

    With `item` they become its one image in the socket; without, items are made by `rule` (`toolkit.grouping`).
    Raises `NotAllowed`, `Invalid`, or `Conflict` for uploads that are used already or too many under way.
    """
    require_uploader(creator, archive, to="upload to it")
    if not uploads or len(uploads) > MOST_FILES:
        problem = Problem("uploads", f"{len(uploads):,} files are given; 1 to {MOST_FILES:,} may be.")
        raise Invalid("The files cannot be taken in.", problems=[problem])
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=creator.pk)
        if Intake.objects.filter(creator=creator, state__in=OPEN).count() >= MOST_OPEN:
            raise Conflict(f"{MOST_OPEN:,} uploads of yours are under way.", remedy="Wait until some are done.")
        keys = [given.upload.pk for given in uploads]
        if len(set(keys)) < len(keys) or IntakeUpload.objects.filter(upload__in=keys).exists():
            raise Conflict("An upload was given already.", code="upload_used", remedy="Upload the file again.")
        intake = Intake.objects.create(
            archive=archive, creator=creator, socket=socket, item=item, name=name[:255], rule=rule or {}
        )
        IntakeUpload.objects.bulk_create(
            [IntakeUpload(intake=intake, upload=one.upload, place=at, path=one.path) for at, one in enumerate(uploads)]
        )
        if item is not None:
            # What failed before for this socket is answered by what comes now.
            Intake.objects.filter(item=item, socket=socket, state=IntakeState.FAILED).update(seen=True)
        enqueue_take_in(intake.pk)
    return intake


@dataclass(frozen=True, slots=True)
class Grouping:
    """How images of one upload become items: a rule that was checked, and the socket for what no pattern of it fits."""

    rule: Rule
    socket: Socket


def grouping_for(*, archive: Archive, creator: User, rule: dict[str, Any] | None = None, socket: str = "") -> Grouping:
    """A grouping for an upload of one's own; what is not said is the archive's. Raises `NotAllowed` or `Invalid`."""
    require_uploader(creator, archive, to="upload to it")
    usual, usual_socket = grouping_of(archive)
    checked, chosen = _checked_grouping(
        archive, creator, usual.to_json() if rule is None else rule, socket or usual_socket
    )
    return Grouping(checked, chosen)


def await_delivery(*, archive: Archive, creator: User, delivery_id: UUID, grouping: Grouping) -> None:
    """Have what a delivery to the archive's cohort brings become items so. Call before its bytes are whole.

    Where it came to an end before, as an empty file does, that stays as it is. Raises `NotAllowed`.
    """
    require_uploader(creator, archive, to="upload to it")
    Intake.objects.get_or_create(
        delivery_id=delivery_id,
        defaults={
            "archive": archive,
            "creator": creator,
            "socket": grouping.socket,
            "rule": grouping.rule.to_json(),
            "state": IntakeState.RECEIVING,
        },
    )


def fail_intake(intake: Intake, *, words: str) -> None:
    """End an intake that became nothing, or not all, and say why."""
    _finish(intake, IntakeState.FAILED, words)


def finish_intake(intake: Intake, *, words: str = "") -> None:
    """End an intake that became items; `words` says of which files nothing came."""
    _finish(intake, IntakeState.DONE, words)


def _finish(intake: Intake, state: IntakeState, words: str) -> None:
    open_ones = Intake.objects.filter(pk=intake.pk, state__in=OPEN)
    open_ones.update(state=state, words=words[:10_000], finished=now(), modified=now())


def put_failure_aside(*, intake: Intake, actor: User) -> None:
    """Have a failure shown no longer beside its item."""
    require_uploader(actor, intake.archive, to="change items")
    Intake.objects.filter(pk=intake.pk, state=IntakeState.FAILED).update(seen=True)


def visible_intakes(asker: Asker) -> QuerySet[Intake]:
    """One's own, and those of archives that one settles."""
    user = person_of(asker)
    if user is None:
        return Intake.objects.none()
    own = Intake.objects.filter(creator=user) | Intake.objects.filter(archive__in=editable_archives(user).values("pk"))
    return own.select_related("archive", "socket", "item").order_by("created", "pk")


def intakes_in(asker: Asker, archive: Archive) -> QuerySet[Intake]:
    """Uploads to one archive that the asker may see, newest first."""
    rows = visible_intakes(asker).filter(archive=archive).select_related("creator", "archive", "socket")
    return rows.order_by("-created", "pk")


def intakes_of_deliveries(asker: Asker, delivery_ids: Sequence[UUID]) -> list[Intake]:
    """What the asker may see of what deliveries became."""
    return list(visible_intakes(asker).filter(delivery__in=list(delivery_ids)))


def intake_for(asker: Asker, intake_id: UUID | str) -> Intake:
    """An intake that the asker may see. Raises `NotFound`."""
    found = visible_intakes(asker).filter(pk=intake_id).first()
    if found is None:
        raise NotFound("There is no such upload session.")
    return found


def change_grouping(*, archive: Archive, actor: User, rule: dict[str, Any], socket: str) -> None:
    """Say how images that are uploaded to the archive become items. Raises `NotAllowed` or `Invalid`.

    `socket` is the slug of the one that takes what no pattern of the rule fits.
    """
    require_editor(actor, archive, to="change how uploads become items")
    checked, _ = _checked_grouping(archive, actor, rule, socket)
    with transaction.atomic():
        Archive.objects.filter(pk=archive.pk).update(grouping={**checked.to_json(), "socket": socket})
        record(
            actor_id=actor.pk,
            verb="archive.changed",
            subject_type="archive",
            subject_id=archive.pk,
            cohort_id=archive.cohort_id,
            details={"fields": ["grouping"]},
        )


def _checked_grouping(archive: Archive, actor: User, rule: dict[str, Any], socket: str) -> tuple[Rule, Socket]:
    try:
        checked = Rule.of(rule)
    except Refused as refused:
        problem = Problem("rule", refused.message, code=refused.code, remedy=refused.remedy)
        raise Invalid(refused.message, problems=[problem]) from None
    offered = usable_sockets(actor, scope=archive.scope_id)
    known = {row.slug: row for row in offered.filter(slug__in=[socket, *checked.sockets.values()])}
    problems = [
        Problem("socket", f"There is no socket {slug} for images here.", remedy="Choose one of the catalogue.")
        for slug in dict.fromkeys([socket, *checked.sockets.values()])
        if slug not in known or known[slug].super_kind != SuperKind.IMAGE
    ]
    if problems:
        raise Invalid("Uploads cannot become items so.", problems=problems)
    return checked, known[socket]


def grouping_of(archive: Archive) -> tuple[Rule, str]:
    """How images that are uploaded to the archive become items: the rule, and the socket for what no pattern fits."""
    said = dict(archive.grouping)
    socket = said.pop("socket", GENERIC)
    return Rule.of(said), socket


def enqueue_take_in(intake_id: UUID) -> None:
    """Have an intake's uploads put together."""
    enqueue("archives.take_in", intake_id=str(intake_id), queueing_lock=f"intake:{intake_id}")


def enqueue_settling(delivery_id: UUID) -> None:
    """Have what a delivery brought put into items."""
    enqueue("archives.settle", delivery_id=str(delivery_id), queueing_lock=f"settle:{delivery_id}")


def stranded_intakes(*, patience: timedelta) -> tuple[list[UUID], list[UUID]]:
    """Intakes whose uploads nobody put together for so long, and deliveries that ended and were not settled."""
    before = now() - patience
    waiting = Intake.objects.filter(state=IntakeState.WAITING, modified__lt=before)
    over = Delivery.objects.filter(state__in=[DeliveryState.DONE, DeliveryState.REFUSED], finished__lt=before)
    lying = Intake.objects.filter(state=IntakeState.RECEIVING, delivery__in=over.values("pk"))
    return list(waiting.values_list("pk", flat=True)), [pk for pk in lying.values_list("delivery", flat=True) if pk]
