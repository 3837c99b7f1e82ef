"""The logo of an archive: fetched, chosen, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.archives.logos import remove_logo
from medtheca.domains.archives.queries import archive_named
from medtheca.interfaces.api.v2.calling import caller_of, user_of
from medtheca.interfaces.api.v2.shapes.common import ShortText
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.interfaces.http.logos import send_logo
from medtheca.toolkit.images.square import Square
from medtheca.workflows.archiving.logo import choose_logo

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Archive

router = Router(tags=["archives"])
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "content": {"image/png": _BINARY, "image/jpeg": _BINARY}}}
_PICTURE = {"responses": {200: {"content": {"image/png": _BINARY, "image/svg+xml": _BINARY}}}}


class LogoQuery(Schema):
    """Which file."""

    size: ShortText = Field("", description="`small` for 128 pixels; else it has 640.")


class CropQuery(Schema):
    """Which square."""

    crop: ShortText = Field(
        "",
        description="Its left edge, its upper edge and its side, in pixels of the upright picture, as `0,120,640`. "
        "Without it, the largest in the middle.",
    )


class LogoOut(Schema):
    """Whether an editor chose the logo, and its SHA-256 then; else it is drawn from the title."""

    chosen: bool
    sha256: str | None


@router.get("/{archive_ref}/logo/", auth=anybody, url_name="archive_logo", openapi_extra=_PICTURE)
def fetch_logo(request: HttpRequest, archive_ref: str, asked: Query[LogoQuery]) -> HttpResponse:
    """The logo as PNG, or as SVG where it is drawn from the title. Whoever finds the archive."""
    return send_logo(request, archive_named(caller_of(request).user, archive_ref), small=asked.size == "small")


@router.put("/{archive_ref}/logo/", auth=somebody, response=LogoOut, url_name="archive_logo", openapi_extra=_BODY)
def put_logo(request: HttpRequest, archive_ref: str, asked: Query[CropQuery]) -> Any:
    """Make a square of the body, a PNG or JPEG of 640 pixels at least and 8 MB at most, the logo. Its editors."""
    user = user_of(request)
    archive = archive_named(user, archive_ref)
    body = request.body
    return _shown(choose_logo(archive=archive, actor=user, size=len(body), chunks=[body], square=_square(asked.crop)))


@router.delete("/{archive_ref}/logo/", auth=somebody, response=LogoOut, url_name="archive_logo")
def delete_logo(request: HttpRequest, archive_ref: str) -> Any:
    """Go back to the logo that is drawn from the title. Its editors."""
    user = user_of(request)
    return _shown(remove_logo(archive=archive_named(user, archive_ref), actor=user))


def _square(text: str) -> Square | None:
    try:
        return Square.parse(text) if text else None
    except ValueError as error:
        raise Invalid("The square cannot be read.", problems=[Problem("crop", str(error))]) from error


def _shown(archive: Archive) -> dict[str, Any]:
    return {"chosen": archive.logo is not None, "sha256": archive.logo.sha256 if archive.logo else None}
