"""Reading archives and their items. Which images of an item somebody sees is `access`'s to say."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from medtheca.base.errors import NotFound
from medtheca.domains.archives.access import Asker, findable_archives, inside_archives, listed_archives
from medtheca.domains.archives.models import Archive, Intake, Item, ItemValue

_NONE = "There is no such archive."


def archive_for(asker: Asker, archive_id: UUID | str) -> Archive:
    """An archive that lists show the asker. Raises `NotFound`."""
    return _one(listed_archives(asker), pk=archive_id)


def archive_of_slug(asker: Asker, slug: str) -> Archive:
    """The archive at an address, also where the asker may no more than ask to see it. Raises `NotFound`."""
    return _one(findable_archives(asker), slug=slug)


def archive_named(asker: Asker, ref: str) -> Archive:
    """An archive that lists show the asker, by its slug or its id. Raises `NotFound`."""
    try:
        return _one(listed_archives(asker), pk=UUID(ref))
    except ValueError:
        return _one(listed_archives(asker), slug=ref.replace("\x00", ""))


def archive_of_cohort(asker: Asker, cohort_id: int) -> Archive | None:
    """The archive whose uploads a cohort takes in, where it is an archive's and lists show that to the asker."""
    return listed_archives(asker).filter(cohort=cohort_id).first()


def _one(archives: QuerySet[Archive], **wanted: object) -> Archive:
    found = archives.select_related("cohort__contributor", "scope").filter(**wanted).first()
    if found is None:
        raise NotFound(_NONE)
    return found


def items_of(archive: Archive) -> QuerySet[Item]:
    """The items of an archive that are not in the trash, in the order in which they were made."""
    return Item.objects.filter(archive=archive, trashed__isnull=True).order_by("number")


def trashed_items(archive: Archive) -> QuerySet[Item]:
    """The items of an archive that are in the trash, the latest first."""
    rows = Item.objects.filter(archive=archive, trashed__isnull=False).select_related("trashed_by")
    return rows.order_by("-trashed", "number")


def visible_items(asker: Asker) -> QuerySet[Item]:
    """Items of all archives that the asker is in, archive by archive, in the order in which they were made."""
    items = Item.objects.filter(archive__in=inside_archives(asker).values("pk"), trashed__isnull=True)
    return items.order_by("archive__created", "archive", "number")


def item_for(asker: Asker, item_id: UUID | str) -> Item:
    """An item of an archive that the asker is in. Raises `NotFound`."""
    found = with_values(visible_items(asker)).filter(pk=item_id).first()
    if found is None:
        raise NotFound("There is no such item.")
    return found


def items_with_image(asker: Asker, image_id: int) -> QuerySet[Item]:
    """Items that hold an image, of archives that the asker is in, archive by archive."""
    holding = ItemValue.objects.filter(value__image=image_id).values("item")
    inside = inside_archives(asker).values("pk")
    rows = Item.objects.filter(pk__in=holding, archive__in=inside, trashed__isnull=True).select_related("archive")
    return rows.order_by("archive__created", "archive", "number")


def with_values(items: QuerySet[Item]) -> QuerySet[Item]:
    """With the archive, values, sockets and images of each item, in two queries more."""
    rows = ItemValue.objects.select_related("socket__look_up_table", "value__image", "value__blob").order_by(
        "socket__slug"
    )
    return items.select_related("archive__hanging_protocol").prefetch_related(
        Prefetch("values", queryset=rows), "archive__optional_protocols"
    )


def intakes_of_item(item: Item) -> QuerySet[Intake]:
    """Files on their way into an item, and those that failed and nobody put aside, newest first."""
    rows = Intake.objects.filter(item=item, seen=False).exclude(state="done")
    return rows.select_related("socket").order_by("-created")
