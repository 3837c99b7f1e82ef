"""Addresses of things, as `gcapi` follows them: absolute, and of the configured public origin whatever host was asked.

It refuses to fetch an address of another scheme, host or port than the one that it was given, so nothing here is made
from the request, which a proxy may have changed.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from medtheca.base.errors import Invalid, Problem

PREFIX = "/api/v1/"
Kind = Literal["archive", "item", "image", "upload", "session", "study", "question", "display_set"]
_FOLDERS: dict[Kind, str] = {
    "archive": "archives/",
    "item": "archives/items/",
    "image": "cases/images/",
    "upload": "uploads/",
    "session": "cases/upload-sessions/",
    "study": "reader-studies/",
    "question": "reader-studies/questions/",
    "display_set": "reader-studies/display-sets/",
}
_KEY = re.compile(r"(?P<folder>.*/)(?P<key>[0-9a-fA-F-]{32,36})/")


def absolute(path: str) -> str:
    """A path of this site as an address: `https://archive.example.org/api/v1/uploads/`."""
    return f"{settings.PUBLIC_URL}{path}"


def address_of(kind: Kind, key: UUID | str) -> str:
    """Where the API tells of a thing; what Grand Challenge calls its `api_url`."""
    return absolute(f"{PREFIX}{_FOLDERS[kind]}{key}/")


def read_address(address: object, kind: Kind, *, field: str) -> UUID:
    """The key of the thing that an `api_url` names. Raises `Invalid` of `field`, in the words that clients know.

    Only the path counts, as on Grand Challenge: the name of the host may be another one of ours.
    """
    if not isinstance(address, str):
        raise _invalid(field, f"Incorrect type. Expected URL string, received {type(address).__name__}.")
    try:
        path = urlsplit(address).path
    except ValueError:
        path = ""
    match = _KEY.fullmatch(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else None
    if match is None:
        example = address_of(kind, "00000000-0000-0000-0000-000000000000")
        raise _invalid(field, f"Invalid hyperlink - No URL match. It has to look like {example}")
    if match["folder"] != _FOLDERS[kind]:
        raise _invalid(field, f"Invalid hyperlink - Incorrect URL match. This is no {_FOLDERS[kind]} address.")
    try:
        return UUID(match["key"])
    except ValueError:
        raise no_such_thing(field) from None


def no_such_thing(field: str) -> Invalid:
    """The refusal of an address at which there is nothing, or nothing that the caller may know of."""
    return _invalid(field, "Invalid hyperlink - Object does not exist.")


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, problems=[Problem(field, message)])
