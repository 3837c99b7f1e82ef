"""Archives and their items, as Grand Challenge's API has them, and more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v1.addresses import absolute, address_of
from medtheca.interfaces.api.v1.shapes.common import Sent, Words
from medtheca.interfaces.api.v1.shapes.sockets import SocketOut, socket_out
from medtheca.interfaces.http.file_urls import item_file_url
from medtheca.interfaces.http.logos import logo_url
from medtheca.toolkit.viewing.pictures import svg_icon

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Archive, Intake, Item, ItemValue
    from medtheca.domains.viewing.models import HangingProtocol

_ORDER = {"Value": 0, "File": 1, "Image": 2}


class ArchiveOut(Schema):
    """An archive."""

    pk: str
    title: str
    logo: str
    description: str | None
    api_url: str
    url: str
    slug: str
    public: bool
    created: str
    modified: str
    licence: str
    keywords: list[str]


class ProtocolOut(Schema):
    """A hanging protocol."""

    json_: list[dict[str, Any]] = Field(alias="json", description="Its viewports.")
    title: str
    pk: str
    svg_icon: str = Field(description="A small picture of its panels.")


class ValueOut(Schema):
    """What is in one socket of an item: one of a value, the address of a file, the address of an image."""

    socket: SocketOut
    interface: SocketOut = Field(description="The same, under its older name.")
    value: Any
    file: str | None
    image: str | None
    pk: int


class ValuePostOut(Schema):
    """What is in one socket of an item that was changed."""

    interface: str = Field(description="The socket's slug.")
    value: Any
    file: str | None
    image: str | None
    pk: int
    image_name: None


class PendingOut(Schema):
    """Files on their way into a socket of an item, or what became of them."""

    interface: str = Field(description="The socket's slug.")
    status: str
    error: str | None
    upload_session: str


class ItemBaseOut(Schema):
    """What every answer says of an item."""

    pk: str
    title: str
    archive: str
    hanging_protocol: ProtocolOut | None
    optional_hanging_protocols: list[ProtocolOut]
    view_content: dict[str, Any]
    created: str
    modified: str


class ItemOut(ItemBaseOut):
    """An item."""

    values: list[ValueOut]


class ItemDetailOut(ItemOut):
    """One item, and what is on its way into it."""

    pending: list[PendingOut]


class ItemPostOut(ItemBaseOut):
    """An item that was made or changed."""

    values: list[ValuePostOut]
    pending: list[PendingOut]


class ValueIn(Sent):
    """What is to be in one socket: exactly one of these."""

    interface: Words | None = Field(None, description="The socket's slug.")
    socket: Words | None = Field(None, description="The same, under its newer name.")
    value: Any = None
    file: Any = None
    image: str | None = Field(None, description="Address of an image.")
    upload_session: str | None = None
    user_upload: str | None = Field(None, description="Address of an upload that is the file.")
    user_uploads: list[str] | None = Field(None, description="Addresses of uploads that make one image.")
    image_name: Words | None = Field(None, description="What the uploaded image is to be called.")


class ItemIn(Sent):
    """A new item."""

    archive: str = Field(description="Address of its archive.")
    title: Words = ""
    values: list[ValueIn] = []


class ItemChangeIn(Sent):
    """What is to be different about an item."""

    title: Words | None = None
    values: list[ValueIn] | None = None


def archive_out(archive: Archive) -> dict[str, Any]:
    """An archive; what is in it is asked for by `archives/items/?archive=`."""
    page = absolute(f"/archives/{archive.slug}/")
    return {
        "pk": str(archive.pk),
        "title": archive.title,
        "logo": logo_url(archive.pk),
        "description": archive.description,
        "api_url": address_of("archive", archive.pk),
        "url": page,
        "slug": archive.slug,
        "public": archive.public,
        "created": archive.created.isoformat(),
        "modified": archive.modified.isoformat(),
        "licence": archive.licence,
        "keywords": archive.keywords,
    }


def item_out(item: Item) -> dict[str, Any]:
    """An item as it is read; its values are fetched already."""
    return {**_common(item), "values": [_value_out(item, row) for row in _sorted(item)]}


def item_post_out(item: Item, intakes: Sequence[Intake] = ()) -> dict[str, Any]:
    """An item as it is answered to a change. `pending` says what is on its way, and what failed and why."""
    return {
        **_common(item),
        "values": [_value_post_out(item, row) for row in _sorted(item)],
        "pending": [pending_out(intake) for intake in intakes],
    }


def pending_out(intake: Intake) -> dict[str, Any]:
    """Files on their way into a socket of an item."""
    return {
        "interface": intake.socket.slug,
        "status": intake.get_state_display(),
        "error": intake.words if intake.state == "failed" else None,
        "upload_session": address_of("session", intake.pk),
    }


def protocol_out(protocol: HangingProtocol) -> dict[str, Any]:
    """A hanging protocol, with a small picture of its panels."""
    return {
        "json": protocol.json,
        "title": protocol.title,
        "pk": str(protocol.pk),
        "svg_icon": svg_icon(protocol.json),
    }


def file_address(item: Item, row: ItemValue) -> str:
    """Where the file of a value is fetched; it ends with the file's extension, by which `gcapi` names its copy."""
    return absolute(item_file_url(item.pk, row.value_id, row.value.filename))


def _common(item: Item) -> dict[str, Any]:
    archive = item.archive
    return {
        "pk": str(item.pk),
        "title": item.title,
        "archive": address_of("archive", archive.pk),
        "hanging_protocol": protocol_out(archive.hanging_protocol) if archive.hanging_protocol else None,
        "optional_hanging_protocols": [protocol_out(one) for one in archive.optional_protocols.all()],
        "view_content": archive.view_content,
        "created": item.created.isoformat(),
        "modified": item.modified.isoformat(),
    }


def _sorted(item: Item) -> list[ItemValue]:
    return sorted(item.values.all(), key=lambda row: (_ORDER[row.socket.super_kind.value], row.socket.slug))


def _value_out(item: Item, row: ItemValue) -> dict[str, Any]:
    socket = socket_out(row.socket)
    return {"socket": socket, "interface": socket, **_content(item, row)}


def _value_post_out(item: Item, row: ItemValue) -> dict[str, Any]:
    return {"interface": row.socket.slug, **_content(item, row), "image_name": None}


def _content(item: Item, row: ItemValue) -> dict[str, Any]:
    value = row.value
    return {
        "value": value.value if value.has_value else None,
        "file": file_address(item, row) if value.blob_id is not None else None,
        "image": address_of("image", value.image.key) if value.image else None,
        "pk": value.pk,
    }
