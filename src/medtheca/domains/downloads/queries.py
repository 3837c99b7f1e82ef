"""Reading downloads: whose they are, and whether all of a list is still as it was and visible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet, Sum

from medtheca.base.clock import now
from medtheca.base.errors import NotFound
from medtheca.domains.access.queries import ANYBODY, Viewer, downloadable_images, viewer_of
from medtheca.domains.accounts.models import User
from medtheca.domains.downloads.enums import DownloadState
from medtheca.domains.downloads.errors import ANEW, Changed, Expired, Failed
from medtheca.domains.downloads.models import Download
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.zips.frozen import Frozen, Member

ATTRIBUTION = "attribution.txt"
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Served:
    """The public file of an image now: SHA-256, bytes, CRC-32 where it is known, recipe where it is composed."""

    sha256: str
    size: int
    crc32: int | None
    recipe: str


@dataclass(frozen=True, slots=True)
class Opening:
    """What has to be known of a download before its bytes are sent. `viewer` is by whose rights it was made."""

    id: UUID
    viewer: Viewer
    listing: str
    name: str
    state: DownloadState
    words: str
    images: int


def download_for(user: User | None, download_id: UUID, *, own: bool = False) -> Download:
    """A download: of a person theirs alone, else for whoever has the id, unless it is to be their `own`.

    Raises `NotFound`, or `Expired`.
    """
    found = Download.objects.select_related("listing", "owner").filter(pk=download_id).first()
    if (
        found is None
        or (own and found.owner_id is None)
        or (found.owner_id is not None and (user is None or user.pk != found.owner_id))
    ):
        raise NotFound(f"There is no download {download_id}.")
    if found.expires <= now():
        raise Expired("The download has expired.", remedy=ANEW)
    return found


def downloads_of(user: User) -> list[Download]:
    """A person's downloads that have not expired, newest first."""
    return list(Download.objects.filter(owner=user, expires__gt=now()).order_by("-created", "-pk"))


def bytes_of(images: QuerySet[Image]) -> int:
    """Bytes of the public files of images, which the caller has seen to be visible."""
    files = ImageFile.objects.filter(kind=FileKind.PUBLIC, image__in=images.values("pk"))
    total: int | None = files.aggregate(total=Sum("blob__size"))["total"]
    return total or 0


def attribution_in(download: Download) -> str:
    """What stands in its `attribution.txt`: whose images they are, and under which licences.

    Raises `Changed` where one of them is not there any more.
    """
    with opened(download.listing.sha256) as frozen:
        require_unchanged(viewer_of(download.owner) if download.owner else ANYBODY, frozen)
        for member in frozen.read(0, frozen.inner):
            if member.path == ATTRIBUTION:
                return frozen.read_inner(member, 0, member.size).decode()
    return ""


def opening_of(viewer: Viewer, download_id: UUID) -> Opening:
    """As `download_for`, for who sends the bytes."""
    row = Download.objects.select_related("listing", "owner").filter(pk=download_id).first()
    if row is None or (row.owner_id is not None and row.owner_id != viewer.user_id):
        raise NotFound("There is no such download.")
    if row.expires <= now():
        raise Expired("The download has expired.", remedy=ANEW)
    mine = viewer_of(row.owner) if row.owner_id is not None else ANYBODY
    state = DownloadState(row.state)
    return Opening(row.pk, mine, row.listing.sha256, row.name, state, row.words, row.images)


def require_sound(opening: Opening) -> None:
    """Raises `Failed` where it could not be made ready."""
    if opening.state is DownloadState.FAILED:
        raise Failed(opening.words, remedy="Try again later, or tell the support.")


@contextmanager
def opened(listing: str) -> Iterator[Frozen]:
    """The frozen list in a blob. Raises `NotFrozen` or OSError."""
    file = blob_store().ranges(listing)
    try:
        yield Frozen(file)
    finally:
        file.close()


def served_now(viewer: Viewer, image_ids: Sequence[int]) -> dict[int, Served]:
    """The public files of those of the images that the viewer may take away now."""
    seen = downloadable_images(viewer).filter(pk__in=image_ids)
    rows = ImageFile.objects.filter(kind=FileKind.PUBLIC, image__in=image_ids).filter(image__in=seen.values("pk"))
    columns = ("image", "blob__sha256", "blob__size", "blob__crc32", "blob__composition__recipe__sha256")
    return {
        image: Served(sha256, size, crc32, recipe or "")
        for image, sha256, size, crc32, recipe in rows.values_list(*columns)
    }


def served_as_frozen(viewer: Viewer, members: Sequence[Member]) -> dict[int, Served]:
    """`served_now` of members, all of which are still what they were when the list was frozen. Raises `Changed`."""
    outer = [member for member in members if not member.is_inner]
    found = served_now(viewer, [member.subject for member in outer])
    gone = [one for one in outer if (now_ := found.get(one.subject)) is None or now_.sha256 != one.sha256]
    if gone:
        names = ", ".join(member.path for member in gone[:3]) + (" and others" if len(gone) > 3 else "")
        raise Changed(
            f"Since the download was made, {names} became something else, or is not there for you any more. So nothing "
            "of it is sent.",
            remedy=ANEW,
        )
    return found


def require_unchanged(viewer: Viewer, frozen: Frozen) -> None:
    """See that every member is visible to the viewer and as it was. Raises `Changed`."""
    for members in frozen.every(batch=_BATCH, first=frozen.inner):
        served_as_frozen(viewer, members)
