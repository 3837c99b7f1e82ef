"""Values are put into items: JSON and files at once, existing images by their key, uploaded images by an intake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_uploader
from medtheca.domains.archives.intakes import GENERIC, GivenUpload, grouping_of, open_intake
from medtheca.domains.archives.items import create_item, put_values, rename_item
from medtheca.domains.archives.models import Archive, Intake, Item, ItemValue
from medtheca.domains.archives.sharing import may_share_into
from medtheca.domains.imaging.models import Image
from medtheca.domains.sockets.models import Socket, Value
from medtheca.domains.sockets.operations import NO_VALUE, NoValue, create_value
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.open_ended import take_upload
from medtheca.domains.storage.operations import keeping_blobs
from medtheca.domains.storage.uploads import release_upload, take_in_upload
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.grouping import Rule
from medtheca.toolkit.sockets.kinds import SuperKind
from medtheca.workflows.filling import fill_socket


@dataclass(frozen=True, slots=True)
class Given:
    """What is given for one socket: exactly one of a value, one upload (a file), an image, or uploads that make one.

    None is a value too, JSON's null. `image_name` is what an uploaded image is to be called.
    """

    socket: str
    value: Any = NO_VALUE
    upload: UUID | None = None
    image: UUID | None = None
    uploads: Sequence[UUID] | None = None
    image_name: str | None = None


@dataclass(slots=True)
class _Plan:
    """What the values of one request are, before anything is written."""

    there: dict[int, Value] = field(default_factory=dict)
    ready: list[Value] = field(default_factory=list)
    coming: list[tuple[Socket, list[GivenUpload], str]] = field(default_factory=list)
    files: list[Upload] = field(default_factory=list)


def make_filled_item(*, archive: Archive, user: User, title: str = "", given: Sequence[Given] = ()) -> Item:
    """Make an item with values, all or nothing; images that are uploaded come later. Raises as `fill_item`."""
    with keeping_blobs():
        item = create_item(archive=archive, creator=user, title=title)
        if given:
            fill_item(item=item, user=user, given=given)
    return item


def fill_item(
    *,
    item: Item,
    user: User,
    given: Sequence[Given],
    title: str | None = None,
    keep_others: bool = True,
) -> list[Intake]:
    """Put values into an item, all or nothing; return the intakes of images that are still to come.

    Each value takes the place of what was in its socket; without `keep_others` all else goes. Raises `NotFound`,
    `NotAllowed`, `Conflict`, or `Invalid` with every problem by the place in `given`.
    """
    require_uploader(user, item.archive, to="change items")
    with keeping_blobs():
        if title is not None:
            rename_item(item=item, actor=user, title=title)
        plan = _plan(item, user, given)
        staying = [socket for socket, _, _ in plan.coming]
        _put(item, user, plan.ready, staying=staying, keep_others=keep_others)
        for upload in plan.files:
            release_upload(upload=upload, state=UploadState.UNPACKED)
        return [
            open_intake(archive=item.archive, creator=user, socket=socket, uploads=uploads, item=item, name=name)
            for socket, uploads, name in plan.coming
        ]


def bring_to_item(*, item: Item, user: User, uploads: Sequence[UUID], socket: str, field: str) -> Intake:
    """Have uploads become the one image in a socket of an item. Raises as `fill_item`; `field` names the uploads."""
    with transaction.atomic():
        found = _offered(item.archive, user, socket)
        if found.super_kind != SuperKind.IMAGE:
            raise _wrong(f"The socket {socket} takes no image.", "interface")
        given = [GivenUpload(upload, upload.filename) for upload in (_upload(user, pk, field) for pk in uploads)]
        return open_intake(archive=item.archive, creator=user, socket=found, uploads=given, item=item)


def bring_to_archive(
    *,
    archive: Archive,
    user: User,
    uploads: Sequence[UUID],
    field: str,
    socket: str | None = None,
    rule: dict[str, Any] | None = None,
    paths: Sequence[str] | None = None,
) -> Intake:
    """Have uploads become items of an archive by a rule (`toolkit.grouping`), each image one where there is none.

    `paths` are those that the files had in their folder. Raises `NotAllowed`, `Conflict` or `Invalid`.
    """
    require_uploader(user, archive, to="upload to it")
    try:
        checked = grouping_of(archive)[0] if rule is None else Rule.of(rule)
    except Refused as refused:
        raise Invalid(
            refused.message, problems=[Problem("rule", refused.message, code=refused.code, remedy=refused.remedy)]
        ) from None
    with transaction.atomic():
        for slug in checked.sockets.values():
            _offered(archive, user, slug)
        found = _offered(archive, user, socket or GENERIC)
        whole = [_upload(user, pk, field) for pk in uploads]
        given = [GivenUpload(upload, paths[at] if paths else upload.filename) for at, upload in enumerate(whole)]
        return open_intake(archive=archive, creator=user, socket=found, uploads=given, rule=checked.to_json())


def _offered(archive: Archive, user: User, slug: str) -> Socket:
    found = usable_sockets(user, scope=archive.scope_id).filter(slug=slug.replace("\x00", "")).first()
    if found is None:
        raise _wrong(f"Object with slug={slug} does not exist.", "interface")
    return found


def _put(item: Item, user: User, ready: list[Value], *, staying: list[Socket], keep_others: bool) -> None:
    """What waits for its image stays as it is until that has come."""
    if not keep_others:
        waiting = ItemValue.objects.filter(item=item, socket__in=staying).select_related("value")
        ready = [*ready, *(row.value for row in waiting)]
    put_values(item=item, actor=user, values=ready, keep_others=keep_others)


def _plan(item: Item, user: User, given: Sequence[Given]) -> _Plan:
    plan, problems = _Plan(), []
    offered = usable_sockets(user, scope=item.archive.scope_id)
    sockets = {socket.slug: socket for socket in offered.filter(slug__in=[one.socket for one in given])}
    there = ItemValue.objects.filter(item=item).select_related("value")
    plan.there = {row.socket_id: row.value for row in there}
    seen: set[str] = set()
    for place, one in enumerate(given):
        try:
            if one.socket in seen:
                raise _wrong(f"The socket {one.socket} is given twice.", "interface")
            seen.add(one.socket)
            if one.socket not in sockets:
                raise _wrong(f"Object with slug={one.socket} does not exist.", "interface")
            with transaction.atomic():
                _add(plan, item.archive, user, sockets[one.socket], one)
        except Invalid as error:
            found = error.problems or [Problem("", error.message, remedy=error.remedy)]
            problems += [_placed(problem, place) for problem in found]
    if problems:
        raise Invalid("Some values cannot be put into the item.", problems=problems)
    return plan


def _placed(problem: Problem, place: int) -> Problem:
    where = f"values.{place}.{problem.field}" if problem.field else f"values.{place}"
    return Problem(where, problem.message, code=problem.code, remedy=problem.remedy)


def _add(plan: _Plan, archive: Archive, user: User, socket: Socket, one: Given) -> None:
    before = plan.there.get(socket.pk)
    if socket.super_kind == SuperKind.VALUE:
        _require(socket, one, "value")
        plan.ready.append(create_value(socket=socket, creator=user, value=one.value, instead_of=before))
    elif socket.super_kind == SuperKind.FILE:
        _require(socket, one, "upload")
        assert one.upload is not None
        upload = _upload(user, one.upload, "user_upload")
        whole = take_in_upload(upload=upload)
        made = fill_socket(socket=socket, creator=user, blob=whole.blob, filename=whole.filename, instead_of=before)
        plan.files.append(upload)
        plan.ready.append(made)
    elif one.image is not None:
        _require(socket, one, "image")
        image = _image(archive, user, one.image)
        plan.ready.append(create_value(socket=socket, creator=user, image=image, instead_of=before))
    else:
        _require(socket, one, "uploads")
        uploads = [_upload(user, pk, "user_uploads") for pk in one.uploads or ()]
        if not uploads:
            raise _wrong("This list may not be empty.", "user_uploads")
        named = [GivenUpload(upload, upload.filename) for upload in uploads]
        plan.coming.append((socket, named, one.image_name or ""))


_WORDS = {
    "value": "value is required for interface kind {kind}",
    "upload": "user_upload or file is required for interface kind {kind}",
    "image": "upload_session, user_uploads or image are required for interface kind {kind}",
    "uploads": "upload_session, user_uploads or image are required for interface kind {kind}",
}


def _require(socket: Socket, one: Given, wanted: str) -> None:
    """Raise `Invalid`, in the words that clients know, unless exactly what the socket takes is given."""
    found = {
        "value": not isinstance(one.value, NoValue),
        "upload": one.upload is not None,
        "image": one.image is not None,
        "uploads": one.uploads is not None,
    }
    if sum(found.values()) > 1:
        raise _wrong("You can only provide one of value, user_upload, image or user_uploads for each socket.", "")
    if not found[wanted]:
        raise _wrong(_WORDS[wanted].format(kind=socket.kind_details.label), "")


def _upload(user: User, pk: UUID, field: str) -> Upload:
    try:
        return take_upload(owner_id=user.pk, upload_id=pk)
    except NotFound:
        raise _wrong("Invalid hyperlink - Object does not exist.", field) from None
    except Conflict as error:
        raise Invalid(
            error.message, problems=[Problem(field, error.message, code=error.code, remedy=error.remedy)]
        ) from None


def _image(archive: Archive, user: User, key: UUID) -> Image:
    image = visible_images(viewer_of(user)).filter(key=key).first()
    if image is None:
        raise _wrong("Invalid hyperlink - Object does not exist.", "image")
    if not may_share_into(user, archive, image):
        raise NotAllowed(
            f"You may see the image {key}, but not show it to the people of this archive.",
            remedy="Ask an owner of its cohort or an editor of its archive to add it, or to make you one.",
        )
    return image


def _wrong(message: str, field: str) -> Invalid:
    return Invalid(message, problems=[Problem(field, message)])
