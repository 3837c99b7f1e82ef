"""ZIPs as the ISIC Archive's clients ask for them: an address, and its parts by a token."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from medtheca.base.errors import NotFound
from medtheca.domains.access.queries import viewer_of
from medtheca.domains.access.serving import user_of_ticket
from medtheca.domains.downloads.freezing import METADATA
from medtheca.domains.downloads.queries import ATTRIBUTION, download_for, opened, require_unchanged
from medtheca.domains.search.query_text import read_query
from medtheca.interfaces.api.v2.calling import caller_of
from medtheca.interfaces.api.v2.shapes.common import answers_with
from medtheca.interfaces.api.v2.shapes.downloads import FileListingOut, ZipUrlIn, members_out, zip_address
from medtheca.interfaces.api.v2.shapes.images import site_of
from medtheca.interfaces.http.api_auth import anybody
from medtheca.interfaces.http.download_urls import read_token, ticket_subject
from medtheca.interfaces.http.file_urls import read_ticket
from medtheca.interfaces.http.limits import require_turn_to_download
from medtheca.toolkit.schemas.licences import licence_text
from medtheca.workflows.downloading import make_download

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medtheca.domains.downloads.models import Download
    from medtheca.toolkit.zips.frozen import Frozen

router = Router(tags=["zip-download"], auth=anybody)


class TokenQuery(Schema):
    """Of which ZIP."""

    token: str = Field(description="The `zsid` in the address of the ZIP.")


@router.post("/url/", response=str, url_name="zip_url")
def make_zip_url(request: HttpRequest, given: ZipUrlIn) -> str:
    """Freeze what is found now; the answer is the address of its ZIP, which works for a day."""
    user = caller_of(request).user
    require_turn_to_download(request, user.pk if user else None)
    download = make_download(asker=user, tree=read_query(given.query), collection_ids=given.collection_ids)
    return zip_address(download, site=site_of(request))


@router.get("/file-listing/", response=FileListingOut, url_name="zip_listing")
def list_zip_files(request: HttpRequest, asked: Query[TokenQuery]) -> Any:
    """The files of a ZIP with their addresses, exactly those that it was made of."""
    with _frozen(asked.token) as (download, frozen):
        rows = members_out(download, frozen, site=site_of(request))
        files = [{"url": row["url"], "zipPath": row["path"]} for row in rows]
    return {"suggestedFilename": f"{download.name}.zip", "files": files}


@router.get("/metadata-file/", url_name="zip_metadata", openapi_extra=answers_with("text/csv"))
def show_zip_metadata(request: HttpRequest, asked: Query[TokenQuery]) -> HttpResponse:
    """The spreadsheet of a ZIP."""
    return _inner(asked.token, METADATA, "text/csv; charset=utf-8")


@router.get("/attribution-file/", url_name="zip_attribution", openapi_extra=answers_with("text/plain"))
def show_zip_attribution(request: HttpRequest, asked: Query[TokenQuery]) -> HttpResponse:
    """Whose images are in a ZIP, and under which licences."""
    return _inner(asked.token, ATTRIBUTION, "text/plain; charset=utf-8")


@router.get("/license-file/{licence}/", url_name="zip_licence", openapi_extra=answers_with("text/plain"))
def show_licence(request: HttpRequest, licence: str) -> HttpResponse:
    """The text of a licence, by ISIC's code or by SPDX."""
    try:
        text = licence_text(licence)
    except LookupError as error:
        raise NotFound(str(error)) from None
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@contextmanager
def _frozen(token: str) -> Iterator[tuple[Download, Frozen]]:
    """The download of a token, all of which is as it was. Raises `NotFound`, `Expired`, `Changed`."""
    named = read_token(token)
    if named is None:
        raise NotFound("There is no such download.", remedy="Send the `zsid` of a ZIP's address.")
    download_id, text = named
    ticket = read_ticket(text, image_key=ticket_subject(download_id)) if text else None
    download = download_for(user_of_ticket(ticket.viewer_id) if ticket else None, download_id)
    with opened(download.listing.sha256) as frozen:
        require_unchanged(viewer_of(download.owner), frozen)
        yield download, frozen


def _inner(token: str, path: str, content_type: str) -> HttpResponse:
    with _frozen(token) as (_, frozen):
        for member in frozen.read(0, frozen.inner):
            if member.path == path:
                content = frozen.read_inner(member, 0, member.size)
                return HttpResponse(content, content_type=content_type)
    raise NotFound(f"The ZIP has no {path}.")
