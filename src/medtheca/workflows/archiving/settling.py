"""When a delivery to an archive is done, its images go into items: one image into one socket, or items by a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet

from medtheca.base.errors import Conflict, DomainError
from medtheca.base.steps import step
from medtheca.domains.archives.access import may_upload
from medtheca.domains.archives.enums import IntakeState
from medtheca.domains.archives.intakes import GENERIC, OPEN, fail_intake, finish_intake, grouping_of
from medtheca.domains.archives.items import create_item, put_values
from medtheca.domains.archives.models import Archive, Intake, Item, ItemValue
from medtheca.domains.imaging.models import Image
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.enums import AccessionState, DeliveryState
from medtheca.domains.provenance.models import Delivery, Verdict
from medtheca.domains.sockets.models import Socket
from medtheca.domains.sockets.operations import create_value
from medtheca.toolkit.grouping import Group, Rule, group_paths

_OVER = (DeliveryState.DONE, DeliveryState.REFUSED)
_MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class _Arrived:
    """An image of the delivery, and the path that its first file came with."""

    path: str
    image: Image


def settle(*, delivery_id: UUID) -> None:
    """Make items of what a delivery brought, all at once; a second call finds nothing to do."""
    with transaction.atomic():
        delivery = Delivery.objects.select_related("upload").filter(pk=delivery_id).first()
        if delivery is None or delivery.state not in _OVER:
            return
        intake = _intake_of(delivery)
        if intake is None:
            return
        arrived, refused = _arrived(delivery)
        if not may_upload(intake.creator, intake.archive):
            fail_intake(intake, words="Whoever brought these files may not upload to the archive any more.")
        elif intake.item is not None:
            _into_item(intake, intake.item, arrived, refused)
        else:
            _into_items(intake, arrived, refused)
        _tell(intake)
    step("archives.settled")


def _intake_of(delivery: Delivery) -> Intake | None:
    """The intake that waits for the delivery, locked; of one that came by the cohort's own door, one that is made here.

    How images of those become items, the archive says.
    """
    archive = Archive.objects.select_for_update(no_key=True, of=("self",)).filter(cohort=delivery.cohort_id).first()
    if archive is None:
        return None
    rows = Intake.objects.filter(delivery=delivery)
    if not rows.exists():
        rule, slug = grouping_of(archive)
        Intake.objects.create(
            archive=archive,
            creator=delivery.upload.owner,
            socket=Socket.objects.filter(slug=slug).first() or Socket.objects.get(slug=GENERIC),
            rule=rule.to_json(),
            delivery=delivery,
            state=IntakeState.RECEIVING,
        )
    waiting = rows.filter(state__in=OPEN).select_for_update(of=("self",))
    return waiting.select_related("archive__cohort", "socket", "item__archive", "creator").first()


def _tell(intake: Intake) -> None:
    """Tell whoever uploaded, in counts and never in names of files."""
    intake.refresh_from_db(fields=["state", "words"])
    title = intake.archive.title
    words = f"Files were taken into the archive {title}."
    if intake.state == IntakeState.FAILED:
        words = f"Files could not be taken into the archive {title}. Its uploads say why."
    elif intake.words:
        words = f"Files were taken into the archive {title}; of some nothing came, and its uploads say why."
    notify(
        recipient_ids=[intake.creator_id],
        kind="archive.upload_done",
        words=words,
        url=f"/archives/{intake.archive.slug}/uploads/{intake.pk}/",
        subject_type="intake",
        subject_id=intake.pk,
        cohort_id=intake.archive.cohort_id,
    )


def _arrived(delivery: Delivery) -> tuple[list[_Arrived], list[str]]:
    """The images in the order of their files, and what is said of files that became none.

    Each image once, and once more for each other folder with the same file: empty masks of two patients are equal.
    """
    found: dict[tuple[int, str], _Arrived] = {}
    refused = []
    verdicts = Verdict.objects.filter(delivery=delivery).select_related("accession__image", "other__image")
    of_several = _made_of_several(verdicts)
    for verdict in verdicts.order_by("ordinal"):
        accession = verdict.accession or (verdict.other if verdict.code == "already_here" else None)
        if accession is not None and accession.state == AccessionState.RECEIVED:
            raise Conflict("Another upload of the same file is still being converted.", code="busy")
        if accession is not None and accession.image is not None:
            is_whole = verdict.accession is None and accession.pk not in of_several
            folder = str(PurePosixPath(verdict.path).parent) if is_whole else ""
            found.setdefault((accession.image.pk, folder), _Arrived(verdict.path, accession.image))
        elif verdict.outcome in {"refused", "duplicate", "linked"}:
            refused.append(f"{verdict.path}: {verdict.words} {verdict.remedy}".strip())
    if delivery.state == DeliveryState.REFUSED:
        refused.append(f"{delivery.refusal} {delivery.remedy}".strip())
    return list(found.values()), refused


def _made_of_several(verdicts: QuerySet[Verdict]) -> set[int]:
    """Accessions that were there already and are of several files, as a series is: their files are no images each."""
    there = verdicts.filter(code="already_here").order_by().values("other")
    rows = Verdict.objects.filter(accession__in=there).order_by().values("accession").annotate(files=Count("pk"))
    return set(rows.filter(files__gt=1).values_list("accession", flat=True))


def _into_item(intake: Intake, item: Item, arrived: Sequence[_Arrived], refused: list[str]) -> None:
    images = len({one.image.pk for one in arrived})
    if images != 1:
        said = refused or [f"The files make {images} images."]
        words = f"Image imports should result in a single image. {_told(said)}"
        fail_intake(intake, words=words)
        return
    if item.trashed is not None:
        fail_intake(intake, words="The item is in the trash.")
        return
    try:
        with transaction.atomic():
            value = create_value(socket=intake.socket, creator=intake.creator, image=arrived[0].image)
            put_values(item=item, actor=intake.creator, values=[value])
    except DomainError as error:
        fail_intake(intake, words=f"{error.message} {error.remedy}".strip())
        return
    finish_intake(intake, words=_told(refused))


def _into_items(intake: Intake, arrived: Sequence[_Arrived], refused: list[str]) -> None:
    if not arrived:
        fail_intake(intake, words=_told(refused) or "No image was found in the files.")
        return
    rule = Rule.of(intake.rule)
    sockets = {socket.slug: socket for socket in _sockets_of(intake, rule)}
    groups = group_paths(rule, [one.path for one in arrived], intake.socket.slug)
    made = sum(_make_item(intake, group, arrived, sockets, refused) for group in groups)
    record(
        actor_id=intake.creator_id,
        verb="archive.items_uploaded",
        subject_type="archive",
        subject_id=intake.archive_id,
        cohort_id=intake.archive.cohort_id,
        details={"items": made},
    )
    finish_intake(intake, words=_told(refused))


def _make_item(
    intake: Intake, group: Group, arrived: Sequence[_Arrived], sockets: dict[str, Socket], refused: list[str]
) -> bool:
    """Make one item; of two images for one socket the first goes in, and the other is told of."""
    chosen: dict[str, int] = {}
    for file in group.files:
        slug = file.socket if file.socket in sockets else intake.socket.slug
        if slug in chosen:
            refused.append(f"{file.path}: {group.title or 'Its item'} has an image in the socket {slug} already.")
        else:
            chosen[slug] = file.place
    item = _item_called(intake, group.title)
    for slug, place in chosen.items():
        try:
            with transaction.atomic():
                before = ItemValue.objects.filter(item=item, socket=sockets[slug]).select_related("value").first()
                value = create_value(
                    socket=sockets[slug],
                    creator=intake.creator,
                    image=arrived[place].image,
                    instead_of=before.value if before else None,
                )
                put_values(item=item, actor=intake.creator, values=[value])
        except DomainError as error:
            refused.append(f"{arrived[place].path}: {error.message} {error.remedy}".strip())
    return bool(chosen)


def _item_called(intake: Intake, title: str) -> Item:
    """A new item; one that is there with this title is added to, as when the rest of a folder comes later."""
    if title:
        there = Item.objects.filter(archive=intake.archive, title=title[:255], trashed__isnull=True).first()
        if there is not None:
            return there
    return create_item(archive=intake.archive, creator=intake.creator, title=title[:255])


def _sockets_of(intake: Intake, rule: Rule) -> list[Socket]:
    named = Socket.objects.filter(slug__in=[*rule.sockets.values(), intake.socket.slug])
    return [socket for socket in named if socket.scope_id in {None, intake.archive.scope_id}]


def _told(said: Sequence[str]) -> str:
    more = len(said) - _MOST_WORDS
    rest = [f"and {more:,} more; the upload's page names them."] if more > 0 else []
    return "\n".join([*said[:_MOST_WORDS], *rest])
