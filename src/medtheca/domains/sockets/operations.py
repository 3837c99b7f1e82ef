"""Making values, and removing them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from medtheca.base.bulk import insert_rows
from medtheca.base.errors import Invalid, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image
from medtheca.domains.sockets.defining import change_socket, define_socket
from medtheca.domains.sockets.models import Socket, Value
from medtheca.domains.sockets.queries import unheld_values
from medtheca.domains.storage.letting_go import mark_let_go
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.opening import open_ranges
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.names import check_name
from medtheca.toolkit.ranges.readers import RangeReader
from medtheca.toolkit.sockets.files import check_file
from medtheca.toolkit.sockets.kinds import SuperKind
from medtheca.toolkit.sockets.overlays import ImageFacts, check_image
from medtheca.toolkit.sockets.values import check_value

__all__ = [
    "NO_VALUE",
    "NewValue",
    "NoValue",
    "change_socket",
    "check_content",
    "check_json",
    "check_open_file",
    "create_value",
    "create_values",
    "define_socket",
    "remove_values",
]

_COLOURS = ("sRGB", "RGB", "CMYK")
_GIVEN = {SuperKind.VALUE: "value", SuperKind.FILE: "file", SuperKind.IMAGE: "image"}


class NoValue:
    """Says that no JSON is given, where None would be a value."""


NO_VALUE: Final = NoValue()


def create_value(
    *,
    socket: Socket,
    creator: User | None,
    value: Any = NO_VALUE,
    blob: Blob | None = None,
    filename: str = "",
    image: Image | None = None,
    instead_of: Value | None = None,
) -> Value:
    """Check what is given and make a value of a socket of it: JSON, a file (with its name), or an image.

    Whether the person may use the socket, the image and the place where the value will be is the caller's to ask; that
    a PNG or JPEG can be decoded `workflows.filling` has found out. Where it says the same as `instead_of`, the value
    that it would replace, that one is returned. No other value is ever shared: its number would tell who else has the
    same. Store the blob inside `keeping_blobs`.

    Raises `Invalid` with the rule that is broken and the place within the value.
    """
    with transaction.atomic():
        # Nobody changes the schema or the segments between the check and the value.
        held = Socket.objects.raw("SELECT * FROM sockets_socket WHERE id = %s FOR KEY SHARE", [socket.pk])[0]
        check_content(socket=held, value=value, blob=blob, filename=filename, image=image)
        made = Value(socket=held, creator=creator, blob=blob, image=image)
        if not isinstance(value, NoValue):
            made.has_value, made.value = True, value
        if blob is not None:
            made.filename, made.media_type = filename, held.kind_details.media_type
        if instead_of is not None and _says_the_same(made, instead_of):
            return instead_of
        made.save(force_insert=True)
    return made


@dataclass(frozen=True, slots=True)
class NewValue:
    """What is given for a socket: JSON or an image."""

    socket: Socket
    value: Any = NO_VALUE
    image: Image | None = None


def create_values(*, creator: User | None, given: Sequence[NewValue]) -> list[Value]:
    """Check and make many values of JSON and images, all or none, in their order; see `create_value`."""
    with transaction.atomic():
        wanted = sorted({one.socket.pk for one in given})
        # One statement, ordered: two that lock the same sockets must not wait for each other.
        rows = Socket.objects.raw("SELECT * FROM sockets_socket WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [wanted])
        held = {socket.pk: socket for socket in rows}
        made = []
        for one in given:
            socket = held[one.socket.pk]
            check_content(socket=socket, value=one.value, image=one.image)
            value = Value(socket=socket, creator=creator, image=one.image)
            if not isinstance(one.value, NoValue):
                value.has_value, value.value = True, one.value
            made.append(value)
        insert_rows(made, ["socket", "has_value", "value", "blob", "filename", "media_type", "image", "creator"])
        return made


def check_content(
    *,
    socket: Socket,
    value: Any = NO_VALUE,
    blob: Blob | None = None,
    filename: str = "",
    image: Image | None = None,
) -> None:
    """Raise `Invalid` unless what is given can be a value of the socket; nothing is written."""
    try:
        _require_one(socket, {"value": not isinstance(value, NoValue), "file": blob, "image": image})
        if blob is not None:
            check_name(filename)
            with closing(open_ranges(blob.sha256)) as file:
                check_file(socket.kind, file, filename=filename, schema=socket.schema)
        elif image is not None:
            check_image(socket.kind, facts_of(image), segments=socket.overlay_segments)
        else:
            check_value(socket.kind, value, schema=socket.schema, stored=True)
    except Refused as refused:
        raise refusal(socket, refused) from None


def check_json(*, socket: Socket, value: Any) -> None:
    """Raise `Invalid` unless JSON can be a value of the socket, or the file of one that keeps JSON as files."""
    if not socket.kind_details.is_json:
        words = f"Values of kind {socket.kind_details.label} are no JSON."
        raise refusal(socket, Refused("wrong_source", words, "Only a file itself can be checked."))
    try:
        check_value(socket.kind, value, schema=socket.schema, stored=socket.store_in_database)
    except Refused as refused:
        raise refusal(socket, refused) from None


def check_open_file(*, socket: Socket, file: RangeReader, filename: str) -> None:
    """Raise `Invalid` unless a file can be a value of the socket; of one that is in the database it is the JSON."""
    if socket.super_kind is SuperKind.IMAGE:
        words = f"Values of kind {socket.kind_details.label} are images, which are checked when they are converted."
        raise refusal(socket, Refused("wrong_source", words, "See what becomes of it with `medtheca inspect`."))
    try:
        check_file(socket.kind, file, filename=filename, schema=socket.schema)
    except Refused as refused:
        raise refusal(socket, refused) from None


def _require_one(socket: Socket, given: Mapping[str, object]) -> None:
    wanted = _GIVEN[socket.super_kind]
    if [name for name, it in given.items() if it] != [wanted]:
        words = f"A socket of kind {socket.kind_details.label} takes one {wanted} here, and nothing else."
        raise Refused("wrong_source", words, f"Give a {wanted}.")


def facts_of(image: Image) -> ImageFacts:
    """What decides in which sockets an image can be."""
    labels = image.geometry.get("labels")
    return ImageFacts(
        kind=image.kind,
        format=image.format,
        channels=image.channels,
        colour=image.colour_space in _COLOURS,
        depth=image.depth,
        timepoints=image.timepoints,
        segments=None if labels is None else tuple(labels),
    )


def remove_values(value_ids: Iterable[int]) -> int:
    """Remove values to which nothing points any more, and let go of their bytes; return how many went.

    For whoever has taken them out of what held them: items, cases, histories. The images of values stay.
    """
    with transaction.atomic():
        going = list(unheld_values(value_ids).select_for_update(of=("self",)).values_list("pk", "blob"))
        Value.objects.filter(pk__in=[pk for pk, _ in going]).delete()
        mark_let_go({blob for _, blob in going if blob is not None})
    return len(going)


def refusal(socket: Socket, refused: Refused) -> Invalid:
    """What was refused of a value, as an error of its socket."""
    problem = Problem(socket.slug, refused.message, code=refused.code, remedy=refused.remedy)
    return Invalid(f"{socket.title}: {refused.message}", problems=[problem], remedy=refused.remedy)


def _says_the_same(made: Value, other: Value) -> bool:
    def said(value: Value) -> tuple[object, ...]:
        # As text, since Python takes 1, 1.0 and True for the same.
        text = json.dumps(value.value, sort_keys=True)
        return value.socket_id, value.has_value, text, value.blob_id, value.filename, value.image_id

    return said(made) == said(other)
