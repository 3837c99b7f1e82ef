"""Archives and their items, with Grand Challenge's fields and what we add."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from medtheca.domains.archives.searching import LONGEST_QUERY
from medtheca.interfaces.api.v2.shapes.common import Given, PageQuery, ShortText, Text
from medtheca.interfaces.http.logos import logo_url

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Archive, Item
    from medtheca.domains.archives.table import Picture

Handling = Literal["manual_review", "accept_verified_users", "accept_all"]
Words = Annotated[list[ShortText], Field(max_length=200)]
Values = Annotated[
    dict[str, Any],
    Field(
        max_length=200,
        description="By slugs of sockets: JSON, or for images a public id or key. Null takes out what is there.",
        examples=[{"score": 0.5, "generic-medical-image": "ISIC_0000042"}],
    ),
]


class ArchiveOut(Schema):
    """An archive. `role` is the caller's in it; `item_count` is null for those who do not see its items."""

    id: UUID
    slug: str
    title: str
    description: str
    public: bool
    hidden: bool
    approved: bool
    licence: str = Field(description="By SPDX; empty where none is given.")
    keywords: list[str]
    modalities: list[str]
    structures: list[str]
    organizations: list[str]
    logo: str = Field(description="Where it is fetched: a PNG of 640 pixels, or an SVG that is drawn from the title.")
    item_count: int | None
    created: datetime
    modified: datetime


class ArchiveDetailOut(ArchiveOut):
    """An archive with all that it says of itself."""

    information: str = Field(description="Markdown.")
    citation: str
    contact_email: str
    publications: list[str] = Field(description="DOIs.")
    contributor: int
    contributor_name: str
    access_requests: Handling
    downloads: bool = Field(description="Whether its users may take files and values away.")
    terms: str = Field(description="Markdown. What is accepted by those who ask to see it.")
    terms_version: int
    role: Literal["editor", "uploader", "viewer", "onlooker"] | None


class ArchiveQuery(PageQuery):
    """Which archives."""

    q: Text = Field("", max_length=200, description="Words in title, description, keywords and organisations.")
    modality: Text = ""
    structure: Text = ""
    organisation: Text = ""
    keyword: Text = ""
    mine: bool = Field(False, description="Only those that the caller is in.")
    public: bool | None = None


class ArchiveChangeIn(Given):
    """What an editor says of an archive; what is left out stays."""

    title: ShortText | None = None
    description: Text | None = None
    information: Text | None = None
    public: bool | None = None
    hidden: bool | None = None
    downloads: bool | None = None
    access_requests: Handling | None = None
    licence: ShortText | None = None
    citation: Text | None = None
    contact_email: ShortText | None = None
    terms: Text | None = None
    keywords: Words | None = None
    publications: Words | None = None
    modalities: Words | None = None
    structures: Words | None = None
    organizations: Words | None = None


class ArchiveIn(ArchiveChangeIn):
    """A new archive of a contributor that the caller owns."""

    title: ShortText
    contributor: Annotated[int, Field(gt=0, lt=2**63)]


class ItemOut(Schema):
    """An item. `values` by slugs of sockets: JSON as it is, of an image its name, of a file its name."""

    id: UUID
    number: int = Field(description="Its place in the archive.")
    title: str
    values: dict[str, Any]
    created: datetime
    modified: datetime


class ItemQuery(PageQuery):
    """Which items."""

    q: Text = Field(
        "", max_length=LONGEST_QUERY, description="What must hold: `score > 0.5 has:overlay -has:report title:P001`."
    )


class ItemChangeIn(Given):
    """What is to be changed; what is left out stays."""

    title: ShortText | None = None
    values: Values | None = None


class ItemIn(Given):
    """A new item."""

    title: ShortText = ""
    values: Values = {}


def archive_out(archive: Archive, items: int | None) -> dict[str, Any]:
    """An archive as `ArchiveOut` has it."""
    names = [name for name in ArchiveOut.model_fields if name not in ("item_count", "logo")]
    return {**{name: getattr(archive, name) for name in names}, "item_count": items, "logo": logo_url(archive.pk)}


def item_out(item: Item, pictures: dict[int, Picture]) -> dict[str, Any]:
    """An item whose values were fetched, with the images among them that the caller sees."""
    values: dict[str, Any] = {}
    for row in item.values.all():
        value = row.value
        if value.image_id is not None:
            values[row.socket.slug] = pictures[value.image_id].ref if value.image_id in pictures else None
        else:
            values[row.socket.slug] = value.value if value.has_value else value.filename
    shown = ("id", "number", "title", "created", "modified")
    return {**{name: getattr(item, name) for name in shown}, "values": values}
