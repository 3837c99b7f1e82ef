"""Downloads, and what the ISIC Archive's clients ask for beside a ZIP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, Field

from medtheca.base.clock import now
from medtheca.interfaces.api.v2.shapes.common import Given, Text
from medtheca.interfaces.api.v2.shapes.search import collection_ids_in
from medtheca.interfaces.http.download_urls import download_ticket, member_url, token_of, zip_url

if TYPE_CHECKING:
    from medtheca.domains.downloads.models import Download
    from medtheca.toolkit.zips.frozen import Frozen

MOST_NAMED = 10_000
FORMATS = ("json", "csv", "aria2", "wget")


class ZipUrlIn(Schema):
    """Which images, as the ISIC Archive's clients say it."""

    query: Text = Field("", description="In the query language; empty for all.")
    collections: Annotated[str, AfterValidator(collection_ids_in)] | list[int] | None = Field(
        None, description="Ids of collections, as a list or with commas between them.", examples=["1,2"]
    )

    @property
    def collection_ids(self) -> list[int] | None:
        """The ids; None where none were named."""
        if not self.collections:
            return None
        if isinstance(self.collections, list):
            return self.collections
        return [int(part) for part in self.collections.split(",")]


class DownloadWanted(Given):
    """Which images: those that a query finds, in collections where some are named, among those named where some are."""

    query: Text = Field("", description="In the query language; empty for all.", examples=["diagnosis:Nevus"])
    collections: list[int] | None = Field(None, max_length=100, description="Ids: images of any of these.")
    isic_ids: list[Text] | None = Field(
        None, min_length=1, max_length=MOST_NAMED, description="A selection, by public id or key."
    )


class DownloadOut(Schema):
    """A download. Its list is frozen: what is found later is not in it, and what goes from it ends it (410)."""

    id: str
    created: datetime
    expires: datetime = Field(description="Asking for the same again moves it.")
    state: Literal["preparing", "ready", "failed"] = Field(
        description="While it is `preparing`, checksums are worked out; the ZIP answers 503 until then."
    )
    words: str = Field(description="Why it failed.")
    images: int
    bytes: int = Field(description="Of the images together.")
    size: int = Field(description="Bytes of the ZIP, exactly.")
    url: str = Field(
        description="The ZIP. It needs no header and works until `expires`, as long as you may see all of its images: "
        "it can be resumed at any byte (`Range`). Ask here again for a new one."
    )
    manifests: dict[Literal["json", "csv", "aria2", "wget"], str] = Field(
        description="Where the list of its files is, in each format."
    )


class DownloadedFileOut(Schema):
    """A file of a download."""

    path: str
    size: int
    sha256: str
    url: str


class ManifestOut(Schema):
    """All files of a download. Addresses work until `expires`; ask again for new ones."""

    id: str
    expires: datetime
    images: int
    files: list[DownloadedFileOut]


class ListedFileOut(Schema):
    """A file, as the ISIC Archive's ZIP service reads it."""

    url: str
    zipPath: str  # noqa: N815 - the name in ISIC's API


class FileListingOut(Schema):
    """What a ZIP is made of."""

    suggestedFilename: str  # noqa: N815 - the name in ISIC's API
    files: list[ListedFileOut]


def ticket_for(download: Download) -> str:
    """A ticket for a download until it expires."""
    return download_ticket(download.pk, owner_id=download.owner_id, expires=download.expires, now=now())


def zip_address(download: Download, *, site: str) -> str:
    """Where the ZIP is, with the token by which the ISIC Archive's clients ask for its parts."""
    ticket = ticket_for(download)
    path = zip_url(download.pk, download.name, ticket)
    return f"{site}{path}{'&' if ticket else '?'}zsid={token_of(download.pk, ticket)}"


def download_out(download: Download, *, site: str) -> dict[str, Any]:
    """`DownloadOut` as plain values."""
    manifest = f"{site}/api/v2/manifests/{download.pk}/"
    return {
        "id": str(download.pk),
        "created": download.created,
        "expires": download.expires,
        "state": download.state,
        "words": download.words,
        "images": download.images,
        "bytes": download.bytes,
        "size": download.size,
        "url": site + zip_url(download.pk, download.name, ticket_for(download)),
        "manifests": {name: f"{manifest}?format={name}" for name in FORMATS},
    }


def members_out(download: Download, frozen: Frozen, *, site: str) -> Iterator[dict[str, Any]]:
    """`DownloadedFileOut` of every file as plain values, in the order of the ZIP."""
    ticket, place = ticket_for(download), 0
    for members in frozen.every():
        for member in members:
            url = site + member_url(download.pk, place, member.path, ticket)
            yield {"path": member.path, "size": member.size, "sha256": member.sha256, "url": url}
            place += 1
