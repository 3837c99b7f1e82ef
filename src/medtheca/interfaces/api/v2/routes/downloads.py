"""Downloads: a query or a selection, frozen, as one ZIP and as a list of files for download managers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from medtheca.domains.access.queries import viewer_of
from medtheca.domains.downloads.operations import delete_download
from medtheca.domains.downloads.queries import download_for, downloads_of, opened, require_unchanged
from medtheca.domains.search.query_text import read_query
from medtheca.interfaces.api.v2.calling import caller_of, user_of
from medtheca.interfaces.api.v2.shapes.downloads import (
    DownloadOut,
    DownloadWanted,
    ManifestOut,
    download_out,
    members_out,
)
from medtheca.interfaces.api.v2.shapes.images import site_of
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.interfaces.http.limits import require_turn_to_download
from medtheca.interfaces.http.spreadsheets import in_pieces
from medtheca.toolkit.schemas.formulas import guarded
from medtheca.workflows.downloading import make_download

if TYPE_CHECKING:
    from medtheca.domains.downloads.models import Download

router = Router(tags=["downloads"])
manifests = Router(tags=["downloads"])
_Rows = Iterable[dict[str, Any]]


class ManifestQuery(Schema):
    """In which shape."""

    format: Literal["json", "csv", "aria2", "wget"] = Field(
        "json",
        description="`json`; `csv`; `aria2` for `aria2c --input-file=FILE --continue`, which checks every file by its "
        "SHA-256; `wget` for `wget --continue --content-disposition --input-file=FILE`.",
    )


@router.post("/", auth=anybody, response={201: DownloadOut}, url_name="downloads")
def begin_download(request: HttpRequest, given: DownloadWanted) -> Any:
    """Freeze what is found now, and be told where its ZIP and its lists of files are.

    The same images with the same values are the same download. Without an account, whoever has its id may fetch it.
    """
    user = caller_of(request).user
    require_turn_to_download(request, user.pk if user else None)
    download = make_download(
        asker=user, tree=read_query(given.query), collection_ids=given.collections, refs=given.isic_ids
    )
    return Status(201, download_out(download, site=site_of(request)))


@router.get("/", auth=somebody, response=list[DownloadOut], url_name="downloads")
def list_downloads(request: HttpRequest) -> Any:
    """Your downloads that have not expired, newest first."""
    return [download_out(download, site=site_of(request)) for download in downloads_of(user_of(request))]


@router.get("/{uuid:download_id}/", auth=anybody, response=DownloadOut, url_name="download_detail")
def show_download(request: HttpRequest, download_id: UUID) -> Any:
    """A download, with an address for its ZIP that works from now on."""
    return download_out(download_for(caller_of(request).user, download_id), site=site_of(request))


@router.delete("/{uuid:download_id}/", auth=somebody, response={204: None}, url_name="download_detail")
def end_download(request: HttpRequest, download_id: UUID) -> Any:
    """Let a download of yours end before its time."""
    delete_download(download_for(user_of(request), download_id, own=True))
    return Status(204, None)


_LISTS = {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "text/plain")}


@manifests.get(
    "/{uuid:download_id}/",
    auth=anybody,
    response=ManifestOut,
    url_name="manifest",
    openapi_extra={"responses": {200: {"content": _LISTS}}},
)
def show_manifest(request: HttpRequest, download_id: UUID, asked: Query[ManifestQuery]) -> Any:
    """All files of a download: path, bytes, SHA-256, and an address that works until it expires.

    410 with the code `download_changed` where one of them is not there any more, or not for you.
    """
    user = caller_of(request).user
    download = download_for(user, download_id)
    with opened(download.listing.sha256) as frozen:
        require_unchanged(viewer_of(download.owner), frozen)
    rows = _rows(download, site_of(request))
    write, content_type, ending = _WRITERS[asked.format]
    response = StreamingHttpResponse(in_pieces(write(download, rows)), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{download.name}.{ending}"'
    return response


def _rows(download: Download, site: str) -> Iterator[dict[str, Any]]:
    with opened(download.listing.sha256) as frozen:
        yield from members_out(download, frozen, site=site)


def _as_json(download: Download, rows: _Rows) -> Iterator[str]:
    head = {"id": str(download.pk), "expires": download.expires.isoformat(), "images": download.images}
    yield json.dumps(head)[:-1] + ', "files": ['
    for at, row in enumerate(rows):
        yield (",\n" if at else "\n") + json.dumps(row, ensure_ascii=False)
    yield "\n]}\n"


def _as_csv(_download: Download, rows: _Rows) -> Iterator[str]:
    yield "path,size,sha256,url\r\n"
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([guarded(row["path"]), row["size"], row["sha256"], row["url"]])
        yield line.getvalue()


def _as_aria2(_download: Download, rows: _Rows) -> Iterator[str]:
    for row in rows:
        yield f"{row['url']}\n  out={row['path']}\n  checksum=sha-256={row['sha256']}\n"


def _as_wget(_download: Download, rows: _Rows) -> Iterator[str]:
    for row in rows:
        yield f"{row['url']}\n"


_Writer = Callable[["Download", _Rows], Iterator[str]]
_WRITERS: dict[str, tuple[_Writer, str, str]] = {
    "json": (_as_json, "application/json", "json"),
    "csv": (_as_csv, "text/csv; charset=utf-8", "csv"),
    "aria2": (_as_aria2, "text/plain; charset=utf-8", "aria2.txt"),
    "wget": (_as_wget, "text/plain; charset=utf-8", "wget.txt"),
}
