"""Addresses of image files, and the tickets that some of them carry.

A browser needs no ticket: its session cookie says who looks, and public files need nobody. Tickets are for programs
that hand an address to another program, which sends no token. A ticket says who looks, never that they may: the byte
plane asks that each time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
import time
from dataclasses import dataclass
from functools import cache
from typing import Protocol
from urllib.parse import quote
from uuid import UUID

from django.conf import settings

from medtheca.domains.imaging.enums import FileKind
from medtheca.toolkit.images.extensions import EXTENSIONS

FILES = "/files/images/"
ITEM_FILES = "/files/items/"
TICKET_SECONDS = 15 * 60
APPLICATION_TICKET_SECONDS = 6 * 3600
"""For applications: isic-cli asks for all addresses of a download first, and works them off for hours."""
NAMES = {
    "full": FileKind.PUBLIC,
    "thumbnail": FileKind.THUMBNAIL,
    "web": FileKind.WEB,
    "geometry": FileKind.GEOMETRY,
    "small": FileKind.SMALL,
}
_NAMES_OF_KINDS = {kind: name for name, kind in NAMES.items()}
_BODY = struct.Struct(">QI8s")
_UNBOUND = bytes(8)
_MAC_BYTES = 16


class _HasReference(Protocol):
    @property
    def key(self) -> UUID: ...
    @property
    def public_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who looks, and whether only the session that it was made for may use it."""

    viewer_id: int
    is_bound: bool


def file_url(
    image: _HasReference,
    kind: FileKind,
    *,
    media_type: str = "",
    ticket_for: int | None = None,
    session_key: str = "",
    ttl: int = TICKET_SECONDS,
) -> str:
    """Where a file of an image is, as a path: `/files/images/ISIC_0000042/thumbnail.jpg`.

    With `media_type` (the file row's) the path has an extension. `ticket_for` is the id of the person for whom a
    program asks; pages leave it out. The original has no address; asking for it is a `KeyError`.
    """
    reference = image.public_id or str(image.key)
    extension = EXTENSIONS.get(media_type, "")
    path = f"{FILES}{quote(reference)}/{_NAMES_OF_KINDS[kind]}{'.' if extension else ''}{extension}"
    if ticket_for is None:
        return path
    ticket = make_ticket(viewer_id=ticket_for, image_key=reference, session_key=session_key, ttl=ttl)
    return f"{path}?ticket={ticket}"


def item_file_url(item_id: UUID | str, value_id: int, name: str) -> str:
    """Where a file of an item of an archive is, as a path: `/files/items/ITEM/VALUE/report.pdf`."""
    return f"{ITEM_FILES}{item_id}/{value_id}/{quote(name, safe='')}"


def make_ticket(*, viewer_id: int, image_key: str, session_key: str = "", ttl: int = TICKET_SECONDS) -> str:
    """A ticket of 48 characters for one image, by the key or public id that its address holds.

    With `session_key` it works together with that session's cookie only. Without, whoever has it may use it for `ttl`
    seconds, as long as the person named may see the image.
    """
    body = _BODY.pack(viewer_id, int(time.time()) + ttl, _binding(session_key))
    return base64.urlsafe_b64encode(body + _mac(body, image_key)).decode()


def read_ticket(text: str, *, image_key: str, session_key: str = "") -> Ticket | None:
    """What a ticket says; None where it is forged, too old, of another image or of another session."""
    try:
        raw = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, mac = raw[: _BODY.size], raw[_BODY.size :]
    if len(body) != _BODY.size or not hmac.compare_digest(mac, _mac(body, image_key)):
        return None
    viewer_id, expires, binding = _BODY.unpack(body)
    if expires < time.time():
        return None
    is_bound = binding != _UNBOUND
    if is_bound and (not session_key or not hmac.compare_digest(binding, _binding(session_key))):
        return None
    return Ticket(viewer_id, is_bound)


def _binding(session_key: str) -> bytes:
    if not session_key:
        return _UNBOUND
    return hmac.digest(_key(), b"session" + session_key.encode(), hashlib.sha256)[:8]


def _mac(body: bytes, image_key: str) -> bytes:
    return hmac.digest(_key(), body + image_key.encode(), hashlib.sha256)[:_MAC_BYTES]


@cache
def _key() -> bytes:
    return hashlib.sha256(b"medtheca.tickets:" + settings.SECRET_KEY.encode()).digest()
