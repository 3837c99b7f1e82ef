"""Which files of an upload may belong together, told from their names and first bytes before anything is read."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from medtheca.toolkit.images.identify import identify

HEAD = 4096
"""Bytes of a file's beginning that are enough to tell."""

# Files that name others, or that others name, whatever their content.
_ALWAYS = frozenset({".mhd", ".raw", ".zraw", ".nhdr", ".hdr", ".img", ".mrxs", ".vms", ".vmu", ".ngr", ".opt"})
_OF_HAMAMATSU = frozenset({".jpg", ".jpeg", ".ngr", ".opt", ".ini"})
# A file without a preamble begins with an element of group 0002 or 0008, in either byte order.
BARE_DICOM = re.compile(rb"(\x02\x00|\x08\x00)[\x00-\x7f]\x00|\x00\x08\x00[\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Companions:
    """What the paths of a whole upload tell of slides that are kept in several files, in lower case."""

    folders: frozenset[str]
    beside: frozenset[str]

    @classmethod
    def of(cls, paths: Iterable[str]) -> "Companions":
        r"""Look at all paths of an upload, with `/` or `\\`."""
        folders, beside = set(), set()
        for path in map(_posix, paths):
            suffix = path.suffix.lower()
            if suffix == ".mrxs":
                folders.add(str(path.with_suffix("")).lower())
            elif suffix in {".vms", ".vmu"}:
                beside.add(str(path.parent).lower())
        return cls(frozenset(folders), frozenset(beside))

    def may_concern(self, path: str, head: bytes) -> bool:
        r"""Whether a file may be one of several; `head` is its first bytes.

        >>> Companions.of(["a/slide.mrxs"]).may_concern("a/slide/Data0001.dat", b"")
        True
        >>> Companions.of([]).may_concern("photo.jpg", b"\xff\xd8\xff")
        False
        """
        place = _posix(path)
        suffix = place.suffix.lower()
        if suffix in _ALWAYS or identify(head) == "dicom" or BARE_DICOM.match(head):
            return True
        if str(place.parent).lower() in self.beside and suffix in _OF_HAMAMATSU:
            return True
        return any(str(folder).lower() in self.folders for folder in place.parents)


def _posix(path: str) -> PurePosixPath:
    return PurePosixPath(path.replace("\\", "/"))
