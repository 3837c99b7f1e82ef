"""Freezing what is found: one moment's images, with everything that goes along with them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast, Coalesce, Collate

from medtheca.domains.downloads.errors import NothingFound, NotThereYet, TooMany
from medtheca.domains.downloads.queries import ATTRIBUTION
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.queries import ANONYMOUS
from medtheca.domains.search.entries import Entry, entries_among
from medtheca.domains.search.naming import Asker
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged
from medtheca.toolkit.images.extensions import EXTENSIONS
from medtheca.toolkit.ranges.readers import FileRanges
from medtheca.toolkit.schemas import DERMATOLOGY, public_metadata
from medtheca.toolkit.schemas.formulas import guarded
from medtheca.toolkit.schemas.licences import LICENCES, find_licence, licence_text
from medtheca.toolkit.zips.frozen import Frozen, Inner, Outer, write_frozen

METADATA, SUMS = "metadata.csv", "SHA256SUMS"
_FIRST_COLUMNS = ("isic_id", "attribution", "copyright_license")
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Ice:
    """A frozen list, staged; `images` and their `bytes`, and `size` of the ZIP."""

    staged: Staged
    images: int
    bytes: int
    size: int


def licence_path(spdx: str) -> str:
    """Where a licence's text is in a download.

    >>> licence_path("CC-BY-4.0")
    'licenses/CC-BY.txt'
    """
    return f"licenses/{find_licence(spdx).isic_code}.txt"


def freeze(found: QuerySet[Image], *, asker: Asker, most: int) -> Ice:
    """Freeze images that the asker may see, in the order of their public ids. Call in `one_snapshot`.

    The same images with the same values give the same list, byte for byte. Raises `NothingFound`, `TooMany`, or
    `NoSpace`.
    """
    reference = Coalesce("public_id", Cast("key", CharField()))
    ordered = found.annotate(reference=Collate(reference, "C")).order_by("reference", "pk")
    keys = list(ordered.values_list("pk", flat=True)[: most + 1])
    if not keys:
        raise NothingFound("Nothing is found, so there is nothing to download.", remedy="Look for something else.")
    if len(keys) > most:
        raise TooMany(
            f"More than {most:,} images are found, which is the most for one download.",
            remedy="Narrow the search, and make several.",
        )
    with ExitStack() as rooms:
        notes = rooms.enter_context(_room())
        columns, whose = _note_all(keys, asker, notes)
        inner = [_metadata(notes, columns, rooms.enter_context(_room())), _attribution(whose)]
        inner += [_text(licence_path(one.spdx), licence_text(one.spdx)) for one in LICENCES if one.spdx in whose]
        inner.append(_sums(inner, notes, rooms.enter_context(_room())))
        target = rooms.enter_context(_room())
        write_frozen(target, inner=inner, outer=_outer(notes), room=rooms.enter_context(_room()))
        target.seek(0)
        staged = blob_store().stage(iter(lambda: target.read(1 << 20), b""))
        bytes_, size = _measured(target)
    return Ice(staged, len(keys), bytes_, size)


def _room() -> BinaryIO:
    """A temporary file in the store that no name leads to, so that nothing stays of it whatever happens."""
    path: Path = blob_store().new_file()
    room = path.open("w+b")
    path.unlink()
    return room


def _note_all(keys: list[int], asker: Asker, notes: BinaryIO) -> tuple[list[str], dict[str, Counter[str]]]:
    """A line of JSON for each image; which columns have values; and how many images are whose, by licence."""
    columns: set[str] = set()
    whose: dict[str, Counter[str]] = {}
    for start in range(0, len(keys), _CHUNK):
        some = keys[start : start + _CHUNK]
        entries = entries_among(Image.objects.filter(pk__in=some), asker=asker)
        lines = []
        for key in some:
            note = _note(key, entries[key])
            columns.update(note["values"])
            whose.setdefault(entries[key].licence, Counter())[entries[key].attribution or ANONYMOUS] += 1
            lines.append(json.dumps(note, ensure_ascii=False, separators=(",", ":")))
        notes.write("".join(f"{line}\n" for line in lines).encode())
    return sorted(columns), whose


def _note(key: int, entry: Entry) -> dict[str, Any]:
    name = entry.public_id or str(entry.key)
    file = entry.files.get(FileKind.PUBLIC)
    if file is None:
        raise NotThereYet(f"{name} has no file to download yet.", remedy="Try again in a few minutes.")
    extension = EXTENSIONS.get(file.media_type, "bin")
    shown = public_metadata(entry.structured, pack=DERMATOLOGY, public_ids=entry.public_ids)
    return {
        "key": key,
        "name": name,
        "path": f"images/{name}.{extension}",
        "size": file.size,
        "sha256": file.sha256,
        "licence": find_licence(entry.licence).isic_code if entry.licence else "",
        "attribution": entry.attribution,
        "values": {**shown["acquisition"], **shown["clinical"]},
    }


def _read(notes: BinaryIO) -> Iterator[dict[str, Any]]:
    notes.seek(0)
    for line in notes:
        yield json.loads(line)


def _outer(notes: BinaryIO) -> Iterator[Outer]:
    for note in _read(notes):
        yield Outer(note["path"], note["size"], note["sha256"], note["key"])


def _metadata(notes: BinaryIO, columns: list[str], room: BinaryIO) -> Inner:
    """The spreadsheet: as the ISIC Archive's, values guarded against programs that would run them."""
    writer = _Measured(METADATA, room)
    rows = csv.writer(writer, lineterminator="\r\n")
    rows.writerow([*_FIRST_COLUMNS, *columns])
    for note in _read(notes):
        values = note["values"]
        first = (note["name"], guarded(note["attribution"]), note["licence"])
        rows.writerow([*first, *(_cell(values.get(column)) for column in columns)])
    return writer.inner()


def _cell(value: object) -> str:
    return "" if value is None else guarded(str(value))


def _attribution(whose: dict[str, Counter[str]]) -> Inner:
    lines = ["These images may be used under the licences below, whose texts are in the folder licenses.", ""]
    for licence in [*LICENCES, None]:
        counted = whose.get(licence.spdx if licence else "")
        if not counted:
            continue
        lines.append(f"{licence.isic_code} ({licence.title}, {licence.uri})" if licence else "Without a licence")
        lines += [f"  {name}: {number:,} images" for name, number in sorted(counted.items())]
        lines.append("")
    return _text(ATTRIBUTION, "\n".join(lines))


def _sums(inner: list[Inner], notes: BinaryIO, room: BinaryIO) -> Inner:
    """As `sha256sum --check` reads it."""
    writer = _Measured(SUMS, room)
    for member in inner:
        writer.write(f"{member.sha256}  {member.path}\n")
    for outer in _outer(notes):
        writer.write(f"{outer.sha256}  {outer.path}\n")
    return writer.inner()


def _text(path: str, text: str) -> Inner:
    writer = _Measured(path, io.BytesIO())
    writer.write(text)
    return writer.inner()


class _Measured:
    """Text that is written to a file, and what has to be known of it then."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._digest, self._crc32, self._size = hashlib.sha256(), 0, 0

    def write(self, text: str) -> None:
        data = text.encode()
        self._digest.update(data)
        self._crc32 = zlib.crc32(data, self._crc32)
        self._size += len(data)
        self._file.write(data)

    def inner(self) -> Inner:
        return Inner(self._path, self._file, self._size, self._digest.hexdigest(), self._crc32)


def _measured(target: BinaryIO) -> tuple[int, int]:
    """Bytes of the images together, and of the ZIP."""
    target.flush()
    with closing(FileRanges(os.dup(target.fileno()))) as file:
        frozen = Frozen(file)
        return frozen.outer_bytes, frozen.size
