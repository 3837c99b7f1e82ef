"""Images that staff put before others: pinning, their order, and which of them anybody sees."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import Max

from medtheca.base.errors import Conflict, Invalid, NotAllowed, Problem
from medtheca.domains.access.queries import open_public_placements
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.models import Pin
from medtheca.domains.collections.refs import images_named, names_of
from medtheca.domains.imaging.models import Image
from medtheca.domains.ledger.operations import record
from medtheca.domains.search.queries import image_for

MOST_PINNED = 100
"""Images that may be pinned: as many as a page has."""
_LOCK = 0x4D54504E


def pinned_images() -> list[int]:
    """Keys of the images that are pinned and public now, in their order."""
    pins = Pin.objects.filter(image__in=open_public_placements().values("image"))
    return list(pins.order_by("place").values_list("image", flat=True))


def all_pins() -> list[Image]:
    """Every image with a pin, in their order: for staff, who also see those that are not public any more."""
    return [pin.image for pin in Pin.objects.select_related("image").order_by("place")]


def is_pinned(image: Image) -> bool:
    """Whether an image has a pin."""
    return Pin.objects.filter(image=image).exists()


def require_to_pin(actor: User) -> None:
    """Raise `NotAllowed` unless the person is of the staff."""
    if not actor.is_active or not actor.is_staff:
        raise NotAllowed("Only staff may pin images.")


def set_image_pinned(*, image: Image, actor: User, pinned: bool) -> None:
    """Pin a public image, behind those that are pinned, or take its pin away. Staff only.

    Raises `NotAllowed`, `Invalid` for one that is not public, or `Conflict` for more than `MOST_PINNED`.
    """
    require_to_pin(actor)
    with transaction.atomic():
        _one_after_the_other()
        found = Pin.objects.filter(image=image)
        if found.exists() == pinned:
            return
        if not pinned:
            found.delete()
            _record(actor, "image.unpinned", image)
            return
        if not open_public_placements().filter(image=image).exists():
            problem = Problem("pinned", "Only a public image can be pinned.", remedy="Have it published first.")
            raise Invalid("The image cannot be pinned.", problems=[problem])
        if Pin.objects.count() >= MOST_PINNED:
            raise Conflict(f"{MOST_PINNED} images are pinned, which is the most.", remedy="Unpin one first.")
        last = Pin.objects.aggregate(last=Max("place"))["last"] or 0
        Pin.objects.create(image=image, place=last + 1, by=actor)
        _record(actor, "image.pinned", image)


def set_images_pinned(*, refs: Sequence[str], actor: User, pinned: bool) -> None:
    """Pin images by public id or key, or take their pins away: all of them, or none. Raises as `set_image_pinned`.

    And `NotFound` for one that the person does not see.
    """
    with transaction.atomic():
        for ref in refs:
            set_image_pinned(image=image_for(actor, ref), actor=actor, pinned=pinned)


def order_pins(*, refs: Sequence[str], actor: User) -> None:
    """Put the pinned images into an order: all of them, by public id or key. Staff only.

    Raises `NotAllowed`, or `Invalid` where an image is not pinned, named twice, or left out: somebody else may have
    pinned another meanwhile.
    """
    require_to_pin(actor)
    with transaction.atomic():
        _one_after_the_other()
        pins = {pin.image_id: pin for pin in Pin.objects.all()}
        named = images_named(actor, refs)
        wanted = [named.get(ref) for ref in refs]
        problems = [
            Problem(
                f"order.{at}",
                f"{ref} is named twice." if pk in wanted[:at] else f"{ref} is not pinned.",
                remedy="Name each pinned image once.",
            )
            for at, (ref, pk) in enumerate(zip(refs, wanted, strict=True))
            if pk not in pins or pk in wanted[:at]
        ]
        left_out = names_of(pins.keys() - set(wanted))
        problems += [Problem("order", f"{name} is pinned, and not named.") for name in sorted(left_out.values())]
        if problems:
            raise Invalid("This is no order of the pinned images.", problems=problems, remedy="Look at them anew.")
        rows = [pins[pk] for pk in wanted if pk is not None]
        if [row.place for row in rows] == sorted(row.place for row in rows):
            return
        for place, row in enumerate(rows, start=1):
            row.place = place
        Pin.objects.bulk_update(rows, ["place"])
        record(
            actor_id=actor.pk,
            verb="images.pins_ordered",
            subject_type="archive",
            subject_id="pins",
            details={"images": len(rows)},
        )


def move_pin(*, image: Image, actor: User, to: int) -> None:
    """Put one pinned image at a place of the order, counted from 0; beyond the ends is the end. As `order_pins`."""
    with transaction.atomic():
        _one_after_the_other()
        order = [found.pk for found in all_pins()]
        if image.pk not in order:
            raise Conflict("The image is not pinned any more.", remedy="Look at the pinned images anew.")
        order.remove(image.pk)
        order.insert(max(0, to), image.pk)
        names = names_of(order)
        order_pins(refs=[names[pk] for pk in order], actor=actor)


def _one_after_the_other() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _record(actor: User, verb: str, image: Image) -> None:
    record(actor_id=actor.pk, verb=verb, subject_type="image", subject_id=image.pk)
