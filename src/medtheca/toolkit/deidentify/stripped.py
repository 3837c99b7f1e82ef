"""What stripping hands back."""

from collections import Counter
from dataclasses import dataclass

from medtheca.toolkit.ranges.making import Copied

Buffer = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Removed:
    """One kind of data that was left out, and how many bytes of it there were. Never the values."""

    kind: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Stripped:
    """A copy fit for the public, and what display needs to know about it.

    `data` is the very object that came in where nothing had to go (`removed` is then empty), so that
    equal bytes are stored once. `orientation` is EXIF's 1 to 8; `icc` is the embedded profile. `copied` says which
    stretches of `data` are ranges of what came in.
    """

    data: Buffer
    removed: tuple[Removed, ...]
    orientation: int
    icc: bytes | None
    copied: tuple[Copied, ...] = ()


class Pieces:
    """What a copy is put together from, and where that stands in the file."""

    def __init__(self) -> None:
        self._pieces: list[Buffer] = []
        self._copied: list[Copied] = []
        self._size = 0

    def append(self, piece: Buffer, *, source: int | None = None) -> None:
        """Put a piece at the end; `source` is where it stands in the file where it is a part of that."""
        if source is not None and len(piece):
            last = self._copied[-1] if self._copied else Copied(0, 0, 0)
            if last.length and (last.target + last.length, last.source + last.length) == (self._size, source):
                self._copied[-1] = Copied(last.target, last.source, last.length + len(piece))
            else:
                self._copied.append(Copied(self._size, source, len(piece)))
        self._pieces.append(piece)
        self._size += len(piece)

    @property
    def copied(self) -> tuple[Copied, ...]:
        """Which stretches are ranges of the file."""
        return tuple(self._copied)

    def join(self) -> bytes:
        """All pieces as one."""
        return b"".join(self._pieces)

    def strip(self, source: Buffer, tally: "Tally", *, orientation: int, icc: bytes | None) -> Stripped:
        """The copy, or the file itself where nothing had to go."""
        removed = tally.removed()
        if not removed:
            return Stripped(source, removed, orientation, icc)
        return Stripped(self.join(), removed, orientation, icc, self.copied)


class Tally:
    """Counts what is left out, by kind, in order of appearance."""

    def __init__(self) -> None:
        self._bytes: Counter[str] = Counter()

    def add(self, kind: str, size: int) -> None:
        if size:
            self._bytes[kind] += size

    def removed(self) -> tuple[Removed, ...]:
        return tuple(Removed(kind, size) for kind, size in self._bytes.items())


def name_trailer(trailer: Buffer) -> str:
    """The kind of what follows the end of an image, for the report."""
    start = bytes(trailer[:16])
    if start.startswith(b"PK\x03\x04"):
        return "trailing zip"
    if start.startswith(b"\xff\xd8\xff"):
        return "trailing jpeg"
    if start[4:8] == b"ftyp":
        return "trailing video"
    return "trailing data"
