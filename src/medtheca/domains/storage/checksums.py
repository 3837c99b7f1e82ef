"""CRC-32 of blobs, which the headers of a ZIP need before the bytes: worked out once, when somebody needs it first."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Iterable
from contextlib import closing

from medtheca.base.errors import Conflict
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.opening import chunks_of, open_ranges
from medtheca.toolkit.ranges.recipe import Damaged

_MOST_AT_ONCE = 5000


class Unreadable(Conflict):
    """The bytes of a blob are away, or are not what they should be."""

    code = "file_unavailable"


def note_crc32s(sha256s: Iterable[str], *, seconds: float | None = None) -> bool:
    """Work out what is missing of these blobs, for so long at most; whether nothing is missing any more.

    Each is kept once it is known, so that whoever goes on later, or twice, loses nothing. Raises `Unreadable`.
    """
    until = time.monotonic() + seconds if seconds is not None else None
    wanted = list(dict.fromkeys(sha256s))
    for start in range(0, len(wanted), _MOST_AT_ONCE):
        some = wanted[start : start + _MOST_AT_ONCE]
        missing = Blob.objects.filter(sha256__in=some, crc32__isnull=True).order_by("pk").values_list("pk", "sha256")
        for pk, sha256 in missing:
            if until is not None and time.monotonic() >= until:
                return False
            Blob.objects.filter(pk=pk).update(crc32=crc32_of(sha256))
    return True


def crc32_of(sha256: str) -> int:
    """CRC-32 of a blob's bytes, hashed beside, so that it is never that of damaged ones. Raises `Unreadable`."""
    crc32, digest = 0, hashlib.sha256()
    try:
        with closing(open_ranges(sha256)) as file:
            for chunk in chunks_of(file):
                crc32 = zlib.crc32(chunk, crc32)
                digest.update(chunk)
    except (OSError, Damaged) as error:
        raise Unreadable(f"The blob {sha256[:16]} cannot be read.", remedy="Run `medtheca scrub`.") from error
    if digest.hexdigest() != sha256:
        raise Unreadable(f"The bytes of the blob {sha256[:16]} are not what they were.", remedy="Run `medtheca scrub`.")
    return crc32
