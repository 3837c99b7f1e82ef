"""The files of an upload, whether it is a ZIP or one file: what each is called, and its bytes staged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from medtheca.domains.provenance.reception import Arrival
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.names import check_name, display_name, name_key
from medtheca.toolkit.unpack import Kind, Limits, Member, open_member

ZIP_HEADS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
"""How a ZIP begins."""

_SKIPPED = {Kind.DIRECTORY, Kind.JUNK}


@dataclass(slots=True)
class Source:
    """A file of a delivery: what it is called, and how its bytes are read."""

    ordinal: int
    path: str
    name: str
    size: int
    skipped: bool = False
    problem: Refused | None = None
    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))

    @classmethod
    def of_member(cls, file: BinaryIO, member: Member, limits: Limits) -> Source:
        """A member of a ZIP."""
        source = cls(member.ordinal, member.path, member.name, member.size_declared, member.kind in _SKIPPED)
        if member.problem is not None:
            source.problem = Refused(member.problem.code, member.problem.message, member.problem.remedy)
        else:
            source.chunks = _deferred(file, member, limits)
        return source

    @classmethod
    def of_single(cls, file: BinaryIO, upload: Upload) -> Source:
        """An upload that is no container."""
        source = cls(0, upload.filename, name_key(upload.filename.replace("\\", "/").rsplit("/", 1)[-1]), upload.size)
        try:
            check_name(source.name)
        except Refused as refusal:
            source.problem = refusal
        source.chunks = iter(lambda: file.read(1 << 20), b"")
        if upload.size == 0:
            source.problem = Refused("empty_file", "The file is empty.", "Upload it again.")
        return source


def _deferred(file: BinaryIO, member: Member, limits: Limits) -> Iterator[bytes]:
    # Opening may refuse; as a generator it does so where the bytes are read, with the other reasons.
    yield from open_member(file, member, limits=limits)


def stage_source(source: Source) -> Arrival:
    """Read a file into the store's staging; what refuses to be read becomes an arrival without bytes."""
    staged: Staged | None = None
    problem = source.problem
    if problem is None:
        try:
            staged = blob_store().stage(source.chunks)
        except Refused as refusal:
            problem = refusal
    return Arrival(
        ordinal=source.ordinal,
        path=display_name(source.path, limit=1000),
        name=display_name(source.name),
        size=staged.size if staged else source.size,
        staged=staged,
        skipped=source.skipped,
        problem=problem.problem if problem else None,
    )
