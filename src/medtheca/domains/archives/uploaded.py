"""What was uploaded to archives, in words for its pages, and the items that it became."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from medtheca.domains.archives.access import Asker, inside_archives
from medtheca.domains.archives.images import images_of_intake
from medtheca.domains.archives.intakes import visible_intakes
from medtheca.domains.archives.models import Intake, IntakeUpload, Item, ItemValue
from medtheca.domains.provenance.models import Delivery


def intake_of_delivery(asker: Asker, delivery_id: UUID) -> Intake | None:
    """The intake that a delivery belongs to, where there is one that the asker may see."""
    return visible_intakes(asker).filter(delivery=delivery_id).first()


def intakes_of_deliveries(asker: Asker, delivery_ids: Sequence[UUID]) -> list[Intake]:
    """What the asker may see of what deliveries became."""
    return list(visible_intakes(asker).filter(delivery__in=list(delivery_ids)))


def items_of_intake(asker: Asker, intake: Intake) -> QuerySet[Item]:
    """The items that hold images of an upload session now, in their order; those in the trash are not among them."""
    images = images_of_intake(asker, intake.pk)
    inside = inside_archives(asker).filter(pk=intake.archive_id).values("pk")
    holding = ItemValue.objects.filter(item__archive__in=inside, value__image__in=images).values("item")
    return Item.objects.filter(pk__in=holding, trashed__isnull=True).order_by("number")


def names_of_intakes(intakes: Sequence[Intake]) -> dict[UUID, str]:
    """What was uploaded in each session: a file's name, or the first one's and how many more."""
    names: dict[UUID, list[str]] = {intake.pk: [] for intake in intakes}
    rows = IntakeUpload.objects.filter(intake__in=list(names)).order_by("intake", "place")
    for intake, path in rows.values_list("intake", "path"):
        names[intake].append(path)
    alone = {intake.delivery_id: intake.pk for intake in intakes if intake.delivery_id and not names[intake.pk]}
    for delivery, name in Delivery.objects.filter(pk__in=list(alone)).values_list("pk", "upload__filename"):
        names[alone[delivery]].append(name)
    more = {pk: f" and {len(found) - 1:,} more" if len(found) > 1 else "" for pk, found in names.items()}
    return {pk: f"{found[0]}{more[pk]}" for pk, found in names.items() if found}
