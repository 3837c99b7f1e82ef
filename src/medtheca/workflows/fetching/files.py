"""One file of a download: kept where it is right already, gone on with where it was cut off, checked by its SHA-256."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from medtheca.workflows.fetching.errors import CannotWrite, HostOdd, HostSilent
from medtheca.workflows.fetching.host import Host, is_passing, refusal, seconds_asked

PART = ".part"
_CHUNK = 1 << 18
_TRIES = 8
_LONGEST_PAUSE = 30.0
_LONGEST_NAME = 200
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of a download: where it shall be below the folder, its bytes and SHA-256, and where it is now."""

    path: str
    size: int
    sha256: str
    url: str

    @classmethod
    def read(cls, row: Any) -> Wanted:
        """Out of a list of files. Raises `HostOdd` for what is none, or would be written outside of the folder."""
        try:
            found = cls(str(row["path"]), int(row["size"]), str(row["sha256"]).lower(), str(row["url"]))
            is_hash = len(bytes.fromhex(found.sha256)) == hashlib.sha256().digest_size
        except (KeyError, TypeError, ValueError) as error:
            raise HostOdd("The archive's list of files has an entry that is none.") from error
        if not is_hash or found.size < 0 or not is_inside(found.path):
            raise HostOdd(f"The archive's list has a file that cannot be kept here: {found.path!r}.")
        return found


def is_inside(path: str) -> bool:
    r"""Whether a path of a list stays below the folder, on any system.

    >>> [is_inside(path) for path in ("images/a.jpg", "../a", "/a", "a//b", "C:a", "a\\..\\b", "a.part", "")]
    [True, False, False, False, False, False, False, False]
    """
    parts = path.split("/")
    plain = all(part not in {"", ".", ".."} and len(part) <= _LONGEST_NAME for part in parts)
    return plain and path.isprintable() and not set(path) & set('\\:*?"<>|') and not path.endswith(PART)


def is_here(wanted: Wanted, folder: Path) -> bool:
    """Whether the file is there, with the bytes that it should have."""
    path = folder / PurePosixPath(wanted.path)
    try:
        return path.is_file() and path.stat().st_size == wanted.size and _sha256_of(path) == wanted.sha256
    except OSError:
        return False


def fetch_file(host: Host, wanted: Wanted, folder: Path, *, advance: Advance) -> None:
    """Bring one file into the folder, whole and right, or not at all; what came of it is gone on with another time.

    `advance` is called with numbers of bytes; where bytes were wrong, with a negative one. Raises `HostRefuses`,
    `HostSilent`, `HostOdd` or `CannotWrite`.
    """
    path = folder / PurePosixPath(wanted.path)
    part = path.with_name(path.name + PART)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if part.exists() and part.stat().st_size > wanted.size:
            part.unlink()
        advance(part.stat().st_size if part.exists() else 0)
        _fetch_whole(host, wanted, part, advance=advance)
        if _sha256_of(part) != wanted.sha256:
            # Perhaps what was there from before: once more from the beginning.
            part.unlink()
            advance(-wanted.size)
            _fetch_whole(host, wanted, part, advance=advance)
            if _sha256_of(part) != wanted.sha256:
                part.unlink()
                raise HostOdd("Its bytes are not those that the archive promised.")
        part.replace(path)
    except OSError as error:
        raise CannotWrite(f"It cannot be written: {error.strerror or error}.") from error


def _fetch_whole(host: Host, wanted: Wanted, part: Path, *, advance: Advance) -> None:
    tries = 0
    while True:
        there = part.stat().st_size if part.exists() else 0
        if there == wanted.size and (there or part.exists()):
            return
        before, wait = there, 0.0
        try:
            with host.stream(wanted.url, _headers(wanted, there)) as answer:
                if is_passing(answer.status):
                    wait, why = seconds_asked(answer), f"it answered {answer.status}"
                else:
                    _take(answer, wanted, part, there=there, advance=advance)
                    why = "it breaks off"
        except HTTPError as error:
            why = str(error)
        there = part.stat().st_size if part.exists() else 0
        tries = 0 if there > before else tries + 1
        if there < wanted.size or not part.exists():
            if tries >= _TRIES or wait > _LONGEST_PAUSE:
                raise HostSilent(f"The archive does not send it: {why}.", remedy="Run the same again later.")
            if tries:
                time.sleep(max(wait, min(_LONGEST_PAUSE, host.pause * 2 ** (tries - 1))))


def _headers(wanted: Wanted, there: int) -> dict[str, str]:
    return {"Range": f"bytes={there}-", "If-Range": f'"{wanted.sha256}"'} if there else {}


def _take(answer: BaseHTTPResponse, wanted: Wanted, part: Path, *, there: int, advance: Advance) -> None:
    """Write what comes behind what is there; with the whole in an answer to a part, from the beginning."""
    if answer.status >= 400:
        raise refusal(answer)
    goes_on = answer.status == 206
    if goes_on and answer.headers.get("Content-Range", "").split("/")[0] != f"bytes {there}-{wanted.size - 1}":
        raise HostOdd("The archive sends another part of it than it was asked for.")
    if not goes_on:
        advance(-there)
        there = 0
    with part.open("ab" if goes_on else "wb") as file:
        for chunk in answer.stream(_CHUNK, decode_content=False):
            if there + len(chunk) > wanted.size:
                raise HostOdd("The archive sends more of it than it promised.")
            file.write(chunk)
            there += len(chunk)
            advance(len(chunk))
        file.flush()
        os.fsync(file.fileno())


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
