"""What stripping hands back."""

from collections import Counter
from dataclasses import dataclass

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
    equal bytes are stored once. `orientation` is EXIF's 1 to 8; `icc` is the embedded profile.
    """

    data: Buffer
    removed: tuple[Removed, ...]
    orientation: int
    icc: bytes | None


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
