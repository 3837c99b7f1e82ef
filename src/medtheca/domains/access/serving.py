"""What the byte plane has to know of an image before it sends a byte: one question, one answer."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from medtheca.domains.access.queries import ANYBODY, Viewer, open_public_placements, viewer_of, visible_images
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.enums import SERVED_KINDS, FileKind
from medtheca.domains.imaging.models import ImageFile


@dataclass(frozen=True, slots=True)
class ServedFile:
    """One file: `digest` is the SHA-256 of its bytes in hexadecimal, `size` counts bytes."""

    digest: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class ServedImage:
    """An image that a viewer may see, with the files that may be sent. `name` is what to call it in a file name."""

    image_id: int
    name: str
    is_public: bool
    files: dict[str, ServedFile]


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
        .values_list("pk", "key", "public_id", "is_public")
        .first()
    )
    if image is None:
        return None
    pk, key, public_id, is_public = image
    rows = ImageFile.objects.filter(image=pk, kind__in=SERVED_KINDS)
    files = {
        FileKind(kind).value: ServedFile(sha256, size, media_type)
        for kind, media_type, sha256, size in rows.values_list("kind", "media_type", "blob__sha256", "blob__size")
    }
    return ServedImage(pk, public_id or str(key), is_public, files)


def holder_of_ticket(user_id: int) -> TicketHolder:
    """Who the person of a ticket is now; anybody where they are gone or disabled."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return TicketHolder(viewer_of(user), user.is_demo) if user else TicketHolder(ANYBODY, is_demo=False)
