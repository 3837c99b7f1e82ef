"""Images of archives and of what was uploaded to them, for whoever may see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from medtheca.domains.access.queries import downloadable_images, viewer_of, visible_images
from medtheca.domains.archives.access import Asker, inside_archives, person_of
from medtheca.domains.archives.intakes import visible_intakes
from medtheca.domains.archives.models import Intake, IntakeUpload, Item, ItemValue
from medtheca.domains.archives.queries import visible_items
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.provenance.access import visible_accessions
from medtheca.domains.provenance.models import Verdict


def images_of_archive(asker: Asker, archive_id: UUID) -> QuerySet[ItemValue, int]:
    """Keys of the images in items of an archive that the asker is in."""
    inside = inside_archives(asker).filter(pk=archive_id).values("pk")
    rows = ItemValue.objects.filter(item__archive__in=inside, item__trashed__isnull=True, value__image__isnull=False)
    return rows.values_list("value__image", flat=True)


def images_of_intake(asker: Asker, intake_id: UUID) -> list[int]:
    """Keys of the images that came of an upload session that the asker may see."""
    rows = visible_intakes(asker).filter(pk=intake_id)
    return [pk for delivery in rows.values_list("delivery", flat=True) for pk, _ in _of_deliveries([delivery])]


def images_of_intakes(asker: Asker, intakes: Sequence[Intake]) -> dict[UUID, list[UUID]]:
    """Keys of the images that came of each session and that the asker sees, in the order of their files."""
    found: dict[UUID, list[UUID]] = {intake.pk: [] for intake in intakes}
    of_delivery = {intake.delivery_id: intake.pk for intake in intakes if intake.delivery_id}
    rows = _of_deliveries(of_delivery)
    seen = visible_images(viewer_of(asker)).filter(pk__in={pk for pk, _ in rows})
    keys = dict(seen.values_list("pk", "key"))
    for pk, delivery in rows:
        if pk in keys and keys[pk] not in found[of_delivery[delivery]]:
            found[of_delivery[delivery]].append(keys[pk])
    return found


def items_of_intakes(asker: Asker, intakes: Sequence[Intake]) -> list[Item]:
    """Items that have images which came of these sessions, in their order, archive by archive."""
    images = {pk for pk, _ in _of_deliveries([intake.delivery_id for intake in intakes])}
    held = ItemValue.objects.filter(value__image__in=images).values("item")
    return list(visible_items(asker).filter(pk__in=held, archive__in={intake.archive_id for intake in intakes}))


def _of_deliveries(delivery_ids: Iterable[UUID | None]) -> list[tuple[int, UUID]]:
    """Pairs of an image's and a delivery's key, in the order of files. What was there already counts."""
    verdicts = Verdict.objects.filter(delivery__in=[pk for pk in delivery_ids if pk]).order_by("delivery", "ordinal")
    verdicts = verdicts.filter(Q(accession__image__isnull=False) | Q(code="already_here", other__image__isnull=False))
    rows = verdicts.values_list("accession__image", "other__image", "delivery")
    return [(own or other, delivery) for own, other, delivery in rows]


def uploads_of_intakes(intakes: Sequence[Intake]) -> dict[UUID, list[UUID]]:
    """Keys of the uploads of each session, in the order in which they were given."""
    found: dict[UUID, list[UUID]] = {intake.pk: [] for intake in intakes}
    rows = IntakeUpload.objects.filter(intake__in=list(found)).order_by("intake", "place")
    for intake, upload in rows.values_list("intake", "upload"):
        found[intake].append(upload)
    return found


def takeable_files(asker: Asker, images: Sequence[Image]) -> tuple[dict[int, list[ImageFile]], dict[int, str]]:
    """Files of images that the asker may take away, by image, and SHA-256 by blob."""
    allowed = downloadable_images(viewer_of(asker)).filter(pk__in=[image.pk for image in images]).values("pk")
    rows = ImageFile.objects.filter(image__in=allowed, kind=FileKind.PUBLIC).select_related("blob")
    files: dict[int, list[ImageFile]] = defaultdict(list)
    digests = {}
    for file in rows.order_by("pk"):
        files[file.image_id].append(file)
        digests[file.blob_id] = file.blob.sha256
    return files, digests


def names_of_images(asker: Asker, images: Sequence[Image]) -> dict[int, str]:
    """What to call each image: its public id or key, and for the people of its cohort the name of its file."""
    found = {image.pk: image.public_id or str(image.key) for image in images}
    rows = visible_accessions(person_of(asker)).filter(image__in=list(found)).values_list("image", "name")
    return found | {image: name for image, name in rows if image is not None}
