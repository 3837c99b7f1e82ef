"""Files that lie loose in a folder, judged as the ZIP would be into which they are packed."""

from medtheca.toolkit.errors import Problem
from medtheca.toolkit.unpack.classify import classify
from medtheca.toolkit.unpack.directory import Entry
from medtheca.toolkit.unpack.limits import DEFAULT_LIMITS, Limits
from medtheca.toolkit.unpack.members import Kind

_UNIX = 3 << 8
_STORED = 0


def classify_loose(path: str, size: int, *, limits: Limits = DEFAULT_LIMITS) -> tuple[Kind, Problem | None]:
    """The verdict on a file that is to be packed under this path.

    >>> classify_loose("photos/.DS_Store", 6148)[0], classify_loose("photos/a.jpg", 6148)
    (<Kind.JUNK: 'junk'>, (<Kind.FILE: 'file'>, None))
    """
    entry = Entry(
        made_by=_UNIX,
        flags=0,
        method=_STORED,
        crc=0,
        compressed_size=size,
        size=size,
        header_offset=0,
        attributes=0,
        raw_path=b"",
        extra=b"",
    )
    return classify(entry, path, limits)
