"""The files of a trial, one after the other: what each is called, and where its bytes are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from medtheca.toolkit.errors import Problem, Refused
from medtheca.toolkit.inspection.values import Bounds, Container, TooMuch
from medtheca.toolkit.names import check_name, display_name, name_key
from medtheca.toolkit.unpack import Kind, Limits, Listing, Member, open_member, scan
from medtheca.toolkit.unpack.loose import classify_loose

_ZIP_HEADS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_SKIPPED = {Kind.DIRECTORY, Kind.JUNK}
_EMPTY = Problem("empty_file", "The file is empty.", "Upload it again.")
_CHUNK = 1 << 20
_PACKED = -1


@dataclass(slots=True)
class Source:
    """A file of a trial. `path` is as it came, for the person; `problem` says why it is not taken in.

    Files of one `delivery` come by one upload, so they may make one image.
    """

    container: str
    path: str
    name: str
    size: int
    delivery: int
    skipped: bool = False
    problem: Problem | None = None
    member: Member | None = None
    file: Path = field(default_factory=Path)
    limits: Limits = field(default_factory=Limits)

    def chunks(self) -> Iterator[bytes]:
        """The bytes. Raises `Refused` where a ZIP does not give them."""
        with self.file.open("rb") as file:
            if self.member is None:
                yield from iter(lambda: file.read(_CHUNK), b"")
            else:
                yield from open_member(file, self.member, limits=self.limits)


def list_sources(
    containers: list[Container], *, bounds: Bounds, limits: Limits
) -> tuple[list[Source], dict[str, Problem]]:
    """Every file of the containers, folders apart, and the containers that cannot be read at all.

    Raises `TooMuch` where there are more files or bytes than `bounds` allow.
    """
    sources: list[Source] = []
    refused: dict[str, Problem] = {}
    unpacked = 0
    for number, container in enumerate(containers):
        if not _is_zip(container.path):
            sources.append(_single(container, number, limits))
        else:
            try:
                with container.path.open("rb") as file:
                    listing = scan(file, limits)
            except Refused as refusal:
                refused[display_name(container.name)] = refusal.problem
                continue
            unpacked += listing.total_declared
            sources += _members(container, number, listing, limits)
        _check(bounds, files=sum(not source.skipped for source in sources), unpacked=unpacked)
    return sources, refused


def _check(bounds: Bounds, *, files: int, unpacked: int) -> None:
    if bounds.files is not None and files > bounds.files:
        raise TooMuch(f"There are more than {bounds.files:,} files.")
    if bounds.unpacked_bytes is not None and unpacked > bounds.unpacked_bytes:
        raise TooMuch(f"The files come to more than {bounds.unpacked_bytes:,} bytes when unpacked.")


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _ZIP_HEADS


def _members(container: Container, number: int, listing: Listing, limits: Limits) -> Iterator[Source]:
    for member in listing.members:
        if member.kind is Kind.DIRECTORY:
            continue
        yield Source(
            container=display_name(container.name),
            path=display_name(member.path, limit=1000),
            name=display_name(member.name),
            size=member.size_declared,
            delivery=number,
            skipped=member.kind in _SKIPPED,
            problem=member.problem,
            member=member,
            file=container.path,
            limits=limits,
        )


def _single(container: Container, number: int, limits: Limits) -> Source:
    size = container.path.stat().st_size
    name = name_key(container.name.replace("\\", "/").rsplit("/", 1)[-1])
    source = Source(
        container="",
        path=display_name(container.name, limit=1000),
        name=display_name(name),
        size=size,
        delivery=_PACKED if container.packed else number,
        file=container.path,
    )
    if container.packed:
        kind, source.problem = classify_loose(container.name, size, limits=limits)
        source.skipped = kind in _SKIPPED
        return source
    try:
        check_name(name)
    except Refused as refusal:
        source.problem = refusal.problem
    if size == 0:
        source.problem = _EMPTY
    return source


def is_spreadsheet(name: str) -> bool:
    """Whether a file given among pictures is meant as their spreadsheet.

    >>> is_spreadsheet("Values.CSV"), is_spreadsheet("photo.jpg")
    (True, False)
    """
    return name.lower().endswith((".csv", ".tsv", ".xlsx"))
