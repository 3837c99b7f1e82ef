"""Items filled with what somebody types at this machine: values, names of images, and paths of its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.base.paths import find_files, text_of
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_uploader
from medtheca.domains.archives.bulk import typed_value
from medtheca.domains.archives.items import create_item, remove_values
from medtheca.domains.archives.models import Archive, Intake, Item
from medtheca.domains.search.queries import image_for
from medtheca.domains.sockets.models import Socket
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.domains.storage.open_ended import abort_open_upload
from medtheca.domains.storage.operations import keeping_blobs
from medtheca.toolkit.sockets.kinds import SuperKind
from medtheca.toolkit.suggest import did_you_mean
from medtheca.workflows.archiving.filling import Given, fill_item
from medtheca.workflows.archiving.sending import SentFile, keep_sent_file

_CHUNK = 1 << 20
LARGEST_TEXT = 64 << 20
"""Bytes of a file that is read as a value."""

Progress = Callable[[int], None]


def fill_here(
    *,
    item: Item,
    user: User,
    said: Mapping[str, str],
    removed: Sequence[str] = (),
    title: str | None = None,
    progress: Progress = lambda _size: None,
) -> list[Intake]:
    """Put into an item what was typed for its sockets, all or nothing; return the intakes of images that are to come.

    `said` maps slugs to a value as it is typed, a public id or key of an image, or `@` and a path: of a file that is
    the value, or of a file or folder that makes one image. `removed` are slugs of sockets that are emptied. `progress`
    is called with numbers of bytes. Raises `Invalid` with a problem for each
    slug, `NotFound`, `NotAllowed` or `Conflict`.
    """
    require_uploader(user, item.archive, to="change items")
    sockets = _sockets(item.archive, user, [*said, *removed])
    with _Kept(user, progress) as kept:
        given = _read(user, said, sockets, kept)
        with keeping_blobs():
            intakes = _filled(item, user, given, title)
            if removed:
                remove_values(item=item, actor=user, sockets=[sockets[slug] for slug in removed])
    return intakes


def make_here(
    *, archive: Archive, user: User, title: str, said: Mapping[str, str], progress: Progress = lambda _size: None
) -> tuple[Item, list[Intake]]:
    """Make an item of what was typed, or nothing. Raises as `fill_here`."""
    require_uploader(user, archive, to="make items")
    sockets = _sockets(archive, user, said)
    with _Kept(user, progress) as kept:
        given = _read(user, said, sockets, kept)
        with keeping_blobs():
            item = create_item(archive=archive, creator=user, title=title)
            return item, _filled(item, user, given, None)


class _Kept:
    """Uploads of files, which are given up where what they were for is refused."""

    def __init__(self, user: User, progress: Progress) -> None:
        self._user, self._progress = user, progress
        self._ids: list[UUID] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is not None:
            for upload_id in self._ids:
                abort_open_upload(owner_id=self._user.pk, upload_id=upload_id)

    def keep(self, path: Path) -> UUID:
        """The upload of a file of this machine."""
        sent = SentFile(text_of(path.name)[-255:], path.stat().st_size, self._chunks(path))
        self._ids.append(keep_sent_file(self._user, sent))
        return self._ids[-1]

    def _chunks(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
                self._progress(len(chunk))


def files_said(said: Mapping[str, str]) -> list[Path]:
    """The files that are named with `@`, in order. Raises `NotFound` for a path where there is none."""
    return [file for text in said.values() if text.startswith("@") for file in find_files([Path(text[1:])])]


def _sockets(archive: Archive, user: User, slugs: Sequence[str] | Mapping[str, str]) -> dict[str, Socket]:
    usable = {one.slug: one for one in usable_sockets(user, scope=archive.scope_id)}
    problems = [
        Problem(slug, f"There is no socket {slug} here.", remedy=did_you_mean(slug, list(usable)))
        for slug in slugs
        if slug not in usable
    ]
    if problems:
        raise Invalid("The item cannot be filled so.", problems=problems)
    return usable


def _read(user: User, said: Mapping[str, str], sockets: Mapping[str, Socket], kept: _Kept) -> list[Given]:
    given: list[Given] = []
    problems: list[Problem] = []
    for slug, text in said.items():
        try:
            given.append(_given(user, sockets[slug], text, kept))
        except (Invalid, NotFound) as refusal:
            found = refusal.problems if isinstance(refusal, Invalid) else ()
            problems += found or [Problem(slug, refusal.message, remedy=refusal.remedy)]
    if problems:
        raise Invalid("The item cannot be filled so.", problems=problems)
    return given


def _given(user: User, socket: Socket, text: str, kept: _Kept) -> Given:
    files = find_files([Path(text[1:])]) if text.startswith("@") else []
    if socket.super_kind == SuperKind.IMAGE:
        if files:
            return Given(socket=socket.slug, uploads=[kept.keep(path) for path in files])
        return Given(socket=socket.slug, image=image_for(user, text.strip()).key)
    if files and len(files) != 1:
        message = f"{socket.title} takes one file; there are {len(files):,} in {text[1:]}."
        raise Invalid(message, problems=[Problem(socket.slug, message)])
    if socket.super_kind == SuperKind.FILE:
        if not files:
            message = f"{socket.title} takes a file."
            raise Invalid(message, problems=[Problem(socket.slug, message, remedy=f"Write {socket.slug}=@report.pdf.")])
        return Given(socket=socket.slug, upload=kept.keep(files[0]))
    value: Any = typed_value(socket, _text_of(socket, files[0]) if files else text)
    if value is None:
        message = f"{socket.title} is to be null, which is no value."
        raise Invalid(message, problems=[Problem(socket.slug, message, remedy="Remove it instead.")])
    return Given(socket=socket.slug, value=value)


def _text_of(socket: Socket, path: Path) -> str:
    problem = ""
    if path.stat().st_size > LARGEST_TEXT:
        problem = f"{path.name} has more than {LARGEST_TEXT >> 20} MB, too much for a value."
    else:
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            problem = f"{path.name} is no UTF-8 text."
    raise Invalid(problem, problems=[Problem(socket.slug, problem)])


def _filled(item: Item, user: User, given: Sequence[Given], title: str | None) -> list[Intake]:
    """As `fill_item`, with problems by the slug for which something was said."""
    try:
        return fill_item(item=item, user=user, given=given, title=title)
    except Invalid as refusal:
        slugs = {f"values.{place}": one.socket for place, one in enumerate(given)}
        named = [
            Problem(
                slugs.get(".".join(one.field.split(".")[:2]), one.field), one.message, code=one.code, remedy=one.remedy
            )
            for one in refusal.problems
        ]
        raise Invalid(refusal.message, problems=named, remedy=refusal.remedy) from None
