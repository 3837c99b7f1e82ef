"""What the byte plane has to know of an image before it sends a byte: one question, one answer."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from medtheca.domains.access.queries import (
    ANYBODY,
    Viewer,
    open_public_placements,
    viewer_of,
    visible_images,
    withheld_among,
)
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.enums import SERVED_KINDS, FileKind
from medtheca.domains.imaging.models import ImageFile


@dataclass(frozen=True, slots=True)
class ServedFile:
    """One file: `digest` is the SHA-256 of its bytes in hexadecimal, `size` counts bytes.

    `recipe` is the SHA-256 of the blob by which it is composed of ranges of others; empty where it is a file itself.
    """

    digest: str
    size: int
    media_type: str
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class ServedImage:
    """An image that a viewer may see, with the files that may be sent. `name` is what to call it in a file name.

    `width` and `height` are those of the upright picture, in pixels. Where it is not `takeable`, its whole files are
    not to be sent, and what is drawn of them is.
    """

    image_id: int
    name: str
    is_public: bool
    files: dict[str, ServedFile]
    width: int = 0
    height: int = 0
    takeable: bool = True


@dataclass(frozen=True, slots=True)
class TicketHolder:
    """Whom a ticket names, as they are now. Demo logins work on the machine that runs Medtheca only."""

    viewer: Viewer
    is_demo: bool


def find_served_image(viewer: Viewer, reference: str) -> ServedImage | None:
    """The image with this key or public id and its files, if the viewer may see it now.

    What is absent and what is invisible are both None, after the same queries. The original is never among the files.
    """
    wanted = Q(public_id=reference)
    with contextlib.suppress(ValueError):  # What is not a key can only be a public id.
        wanted = Q(key=UUID(reference))
    image = (
        visible_images(viewer)
        .filter(wanted)
        .annotate(is_public=Exists(open_public_placements().filter(image=OuterRef("pk"))))
        .values_list("pk", "key", "public_id", "is_public", "width", "height")
        .first()
    )
    if image is None:
        return None
    pk, key, public_id, is_public, width, height = image
    rows = ImageFile.objects.filter(image=pk, kind__in=SERVED_KINDS)
    columns = ("kind", "media_type", "blob__sha256", "blob__size", "blob__composition__recipe__sha256")
    files = {
        FileKind(kind).value: ServedFile(sha256, size, media_type, recipe or "")
        for kind, media_type, sha256, size, recipe in rows.values_list(*columns)
    }
    takeable = is_public or pk not in withheld_among(viewer, [pk])
    return ServedImage(pk, public_id or str(key), is_public, files, width, height, takeable)


def user_of_ticket(user_id: int) -> User | None:
    """The person of a ticket, unless they are gone or disabled."""
    return User.objects.filter(pk=user_id, is_active=True).first()


def holder_of_ticket(user_id: int) -> TicketHolder:
    """Who the person of a ticket is now; anybody where they are gone or disabled."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return TicketHolder(viewer_of(user), user.is_demo) if user else TicketHolder(ANYBODY, is_demo=False)
