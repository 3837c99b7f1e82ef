"""Addresses of downloads and of the files in them, with tickets like those of images."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import UUID

from medtheca.interfaces.http.file_urls import make_ticket

if TYPE_CHECKING:
    from datetime import datetime

DOWNLOADS = "/downloads/"
PUBLIC_TABLE = "/files/public/metadata.parquet"
"""The public metadata of all images."""


def ticket_subject(download_id: UUID) -> str:
    """What a ticket of a download is made for; no image has such a name."""
    return f"download:{download_id}"


def download_ticket(download_id: UUID, *, owner_id: int | None, expires: datetime, now: datetime) -> str:
    """A ticket for all of a download until it expires; none is needed where nobody in particular asked for it.

    Longer than an image's: a download may take hours, and who holds the ticket gets what its owner may see then.
    """
    if owner_id is None:
        return ""
    seconds = max(1, int((expires - now).total_seconds()))
    return make_ticket(viewer_id=owner_id, image_key=ticket_subject(download_id), ttl=seconds)


def zip_url(download_id: UUID, name: str, ticket: str) -> str:
    """Where the ZIP is, as a path: `/downloads/3f…/images.zip?ticket=…`."""
    return f"{DOWNLOADS}{download_id}/{quote(name)}.zip{_query(ticket)}"


def member_url(download_id: UUID, place: int, path: str, ticket: str) -> str:
    """Where one file of it is, as a path."""
    return f"{DOWNLOADS}{download_id}/files/{place}/{quote(path)}{_query(ticket)}"


def token_of(download_id: UUID, ticket: str) -> str:
    """A download and its ticket in one word, as the ISIC Archive's clients pass them around."""
    return f"{download_id}.{ticket}"


def read_token(token: str) -> tuple[UUID, str] | None:
    """What `token_of` made; None for anything else."""
    name, _, ticket = token.partition(".")
    try:
        return UUID(name), ticket
    except ValueError:
        return None


def _query(ticket: str) -> str:
    return f"?ticket={ticket}" if ticket else ""
