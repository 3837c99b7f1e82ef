"""What somebody gives for a socket becomes a value: pictures are decoded in the sandbox first, which domains cannot."""

from __future__ import annotations

from typing import Any

from medtheca.base.errors import Invalid
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image
from medtheca.domains.sockets.models import Socket, Value
from medtheca.domains.sockets.operations import NO_VALUE, check_content, create_value, refusal
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.errors import Refused
from medtheca.workflows.examining import examine_files
from medtheca.workflows.findings import Findings

_PICTURES = {"PNG": "png", "JPEG": "jpeg"}


def fill_socket(
    *,
    socket: Socket,
    creator: User | None,
    value: Any = NO_VALUE,
    blob: Blob | None = None,
    filename: str = "",
    image: Image | None = None,
    instead_of: Value | None = None,
) -> Value:
    """As `create_value`, and of pictures every pixel is decoded before. Raises `Invalid`."""
    if blob is not None and socket.kind in _PICTURES:
        # What is refused by its name or first bytes keeps no decoder busy.
        check_content(socket=socket, blob=blob, filename=filename)
        _require_decodable(socket, blob)
    return create_value(
        socket=socket,
        creator=creator,
        value=value,
        blob=blob,
        filename=filename,
        image=image,
        instead_of=instead_of,
    )


def _require_decodable(socket: Socket, blob: Blob) -> None:
    found = Findings()
    try:
        examine_files([(blob.pk, blob_store().path(blob.sha256))], into=found)
        if blob.pk in found.refusals:
            raise refusal(socket, Refused(*found.refusals[blob.pk]))
        if blob.pk not in found.examined:
            raise Invalid(f"{socket.title}: the file could not be read.", remedy="Send it again.")
    finally:
        found.discard()
