"""Images that the caller may see, in archives and elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.base.errors import NotFound
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.archives.images import images_of_archive, images_of_intake, names_of_images, takeable_files
from medtheca.interfaces.api.v1.calling import asked_key, caller_of
from medtheca.interfaces.api.v1.paging import page_of, send_json
from medtheca.interfaces.api.v1.shapes.common import ListOut, WindowQuery
from medtheca.interfaces.api.v1.shapes.images import ImageOut, image_out
from medtheca.interfaces.http.api_auth import anybody

if TYPE_CHECKING:
    from medtheca.domains.imaging.models import Image

router = Router(tags=["images"], auth=anybody)


class ImagesQuery(WindowQuery):
    """Which images."""

    archive: str | None = None
    origin: str | None = None


@router.get("/", response=ListOut[ImageOut], url_name="images")
def list_images(request: HttpRequest, asked: Query[ImagesQuery]) -> Any:
    """Images that the caller may see, in the order in which they came."""
    user = caller_of(request).user
    images = visible_images(viewer_of(user))
    archive, origin = asked_key(request, "archive"), asked_key(request, "origin")
    if archive is not None:
        images = images.filter(pk__in=images_of_archive(user, archive))
    if origin is not None:
        images = images.filter(pk__in=images_of_intake(user, origin))
    return page_of(request, images, shape=lambda rows: _out(user, rows), order=("pk",))


@router.get("/{uuid:key}/", response=ImageOut, url_name="image")
def read_image(request: HttpRequest, key: UUID) -> Any:
    """One image."""
    user = caller_of(request).user
    shown = _out(user, list(visible_images(viewer_of(user)).filter(key=key)))
    if not shown:
        raise NotFound("There is no such image.")
    return send_json(shown[0])


def _out(user: Any, images: Sequence[Image]) -> list[dict[str, Any]]:
    files, digests = takeable_files(user, images)
    names = names_of_images(user, images)
    return [image_out(image, files.get(image.pk, []), names[image.pk], digests) for image in images]
