"""A whole download: what is asked for is frozen by the archive, and each file of its list fetched and checked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from medtheca.base.errors import DomainError, NotFound
from medtheca.workflows.fetching.errors import CannotWrite, HostOdd
from medtheca.workflows.fetching.files import Wanted, fetch_file, is_here
from medtheca.workflows.fetching.host import Host

Progress = Callable[[int, int], None]
"""Called with files done and bytes done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which images: those that a query finds, in any of these collections, among those named where some are."""

    query: str = ""
    collections: Sequence[str] = ()
    refs: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A download as the archive has frozen it. `size` counts bytes of all files, `missing` are not here yet."""

    id: str
    images: int
    files: tuple[Wanted, ...]
    missing: tuple[Wanted, ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    @property
    def missing_size(self) -> int:
        """Bytes of those files that are not here yet."""
        return sum(file.size for file in self.missing)


@dataclass
class Outcome:
    """What came of fetching: how many files are here now that were not, and why others are not, by path."""

    fetched: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def list_files(host: Host, asked: Asked, folder: Path, *, checked: Progress = lambda _files, _size: None) -> Listed:
    """Have the archive freeze what is asked for, and see what of it is in the folder already.

    Raises `NotFound` for a collection that it does not show, and errors of `fetching.errors`.
    """
    given: dict[str, Any] = {"query": asked.query}
    if asked.collections:
        given["collections"] = [_collection(host, name) for name in asked.collections]
    if asked.refs is not None:
        given["isic_ids"] = list(dict.fromkeys(asked.refs))
    made = host.ask("POST", "/api/v2/downloads/", given=given)
    try:
        address, images, key = str(made["manifests"]["json"]), int(made["images"]), str(made["id"])
        parts = urlsplit(address)
        found = host.ask("GET", f"{parts.path}?{parts.query}")
        files = tuple(Wanted.read(row) for row in found["files"])
    except (KeyError, TypeError, ValueError) as error:
        raise HostOdd(
            "This is no download as Medtheca makes them.", remedy="See that the host is a Medtheca."
        ) from error
    if len({file.path.casefold() for file in files}) != len(files):
        raise HostOdd("Two files of the archive's list have the same name.")
    missing = []
    for file in files:
        if not is_here(file, folder):
            missing.append(file)
        checked(1, file.size)
    return Listed(key, images, files, tuple(missing))


def fetch_files(host: Host, listed: Listed, folder: Path, *, at_once: int, progress: Progress) -> Outcome:
    """Fetch what is missing, several files at a time. What fails is named, and the rest comes all the same."""
    outcome, turn = Outcome(), threading.Lock()

    def advance(size: int) -> None:
        with turn:
            progress(0, size)

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        doing = {pool.submit(fetch_file, host, file, folder, advance=advance): file for file in listed.missing}
        try:
            for done in as_completed(doing):
                file = doing[done]
                try:
                    done.result()
                except DomainError as error:
                    outcome.failed[file.path] = f"{error.message} {error.remedy}".strip()
                    if isinstance(error, CannotWrite):
                        # A full disk is full for all of them.
                        pool.shutdown(wait=False, cancel_futures=True)
                        raise
                else:
                    outcome.fetched += 1
                    with turn:
                        progress(1, 0)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return outcome


def _collection(host: Host, name: str) -> int:
    """The id of a collection that is named by id, or by its whole name in any case."""
    if name.isascii() and name.isdecimal() and len(name) < 19:
        return int(name)
    path: str | None = "/api/v2/collections/?sort=name"
    found: list[int] = []
    while path:
        page = host.ask("GET", path)
        found += [int(row["id"]) for row in page["results"] if str(row["name"]).casefold() == name.casefold()]
        after = urlsplit(str(page["next"])) if page["next"] else None
        path = f"{quote(after.path)}?{after.query}" if after else None
    if len(found) != 1:
        words = f"There is no collection {name}." if not found else f"Several collections are named {name}."
        raise NotFound(words, remedy=f"Give its id; {host.origin}/collections/ lists them.")
    return found[0]
