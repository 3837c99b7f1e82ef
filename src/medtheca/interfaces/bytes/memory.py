"""What the byte plane remembers of images: records that a look-up need not ask the database for.

Every read and every piece of news has a place in one order, counted by `_moment`. A record counts only if nothing was
heard of its image, or of its viewer, since the read that gave it *began*: so news that arrives while a read is under
way wins. Everything here runs in the event loop, so there are no locks.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from medtheca.domains.access.serving import ServedImage

PUBLIC = 0
"""Stands for everybody where a viewer's id is asked for; ids of people begin at 1."""

BY_LINK = -1
"""Stands for whoever is nobody and looks by links, which are in the reference then."""

_LIFETIME = 30.0
_PRIVATE_LIFETIME = 20.0
_CUT_LIFETIME = 2.0
_LONGEST_READ = 20.0
_REMEMBER_NEWS = 2 * (_LIFETIME + _LONGEST_READ)

Key = tuple[int, str]
Read = Callable[[], Awaitable[ServedImage | None]]


@dataclass(frozen=True, slots=True)
class _Kept:
    image: ServedImage
    viewer_id: int
    began: int
    until: float


@dataclass(frozen=True, slots=True)
class _Flight:
    began: int
    read: asyncio.Task[ServedImage | None]


class Memory:
    """Images by (viewer, reference), at most `limit`, each for 30 seconds at most, and 2 while no news comes in."""

    def __init__(self, *, limit: int = 100_000) -> None:
        self._limit = limit
        self._kept: dict[Key, _Kept] = {}
        self._flights: dict[Key, _Flight] = {}
        self._moment = 0
        self._all_changed = 0
        self._image_changed: dict[int, int] = {}
        self._viewer_changed: dict[int, int] = {}
        self._news: deque[tuple[float, dict[int, int], int, int]] = deque()
        self._hears = False

    @property
    def hears(self) -> bool:
        """Whether news comes in."""
        return self._hears

    @property
    def moment(self) -> int:
        """Changes whenever anything was heard: what was found at the same moment still holds, while news comes in."""
        return self._moment

    # -- news -------------------------------------------------------------------------------------------

    def start_hearing(self) -> None:
        """News comes in from now on; what was remembered may have missed some."""
        self._hears = True
        self._forget_all()

    def stop_hearing(self) -> None:
        """No news comes in for now."""
        self._hears = False
        self._forget_all()

    def hear(self, payload: str) -> None:
        """Take a message of the database: ids of images with commas, `user:ID`, or anything else for all."""
        self._moment += 1
        if payload.startswith("user:") and payload[5:].isdecimal():
            self._note(self._viewer_changed, int(payload[5:]))
            return
        ids = payload.split(",")
        if not all(part.isdecimal() for part in ids):
            self._forget_all()
            return
        for part in ids:
            self._note(self._image_changed, int(part))

    def _note(self, changed: dict[int, int], subject: int) -> None:
        now = time.monotonic()
        changed[subject] = self._moment
        self._news.append((now, changed, subject, self._moment))
        # Older news concerns nothing that may still be remembered or be on its way.
        while self._news[0][0] < now - _REMEMBER_NEWS:
            _, old, known, moment = self._news.popleft()
            if old.get(known) == moment:
                del old[known]

    def _forget_all(self) -> None:
        self._moment += 1
        self._all_changed = self._moment
        self._kept.clear()

    # -- look-up ----------------------------------------------------------------------------------------

    def recall(self, viewer_id: int, reference: str) -> ServedImage | None:
        """What is remembered and still counts."""
        kept = self._kept.get((viewer_id, reference))
        if kept is None or not self._counts(kept.image, viewer_id, kept.began) or kept.until < time.monotonic():
            return None
        return kept.image

    async def look_up(self, viewer_id: int, reference: str, read: Read) -> ServedImage | None:
        """What is remembered, or what `read` finds. Who asks for the same at the same time shares one read.

        What `read` does not find is not remembered, so that absent and invisible cost the same.
        """
        remembered = self.recall(viewer_id, reference)
        if remembered is not None:
            return remembered
        key = (viewer_id, reference)
        flight = self._flights.get(key)
        # A read that began before the latest news is no answer to who comes after it.
        if flight is None or flight.began < self._moment:
            reading = asyncio.ensure_future(self._read(key, read, self._moment))
            flight = self._flights[key] = _Flight(self._moment, reading)
        return await asyncio.shield(flight.read)

    async def _read(self, key: Key, read: Read, began: int) -> ServedImage | None:
        started = time.monotonic()
        try:
            image = await read()
        finally:
            flight = self._flights.get(key)
            # News may have made another read take the place of this one.
            if flight is not None and flight.read is asyncio.current_task():
                del self._flights[key]
        took = time.monotonic() - started
        if image is not None and took < _LONGEST_READ:
            # Whoever asked: what is public is remembered for everybody.
            viewer_id = PUBLIC if image.is_public else key[0]
            if self._counts(image, viewer_id, began):
                self._keep((viewer_id, key[1]), image, began, started)
        return image

    def _counts(self, image: ServedImage, viewer_id: int, began: int) -> bool:
        return (
            began >= self._all_changed
            and began >= self._image_changed.get(image.image_id, 0)
            and (viewer_id == PUBLIC or began >= self._viewer_changed.get(viewer_id, 0))
        )

    def _keep(self, key: Key, image: ServedImage, began: int, started: float) -> None:
        lifetime = _LIFETIME if key[0] == PUBLIC else _PRIVATE_LIFETIME
        self._kept.pop(key, None)
        self._kept[key] = _Kept(image, key[0], began, started + (lifetime if self._hears else _CUT_LIFETIME))
        now = time.monotonic()
        # The oldest stand first. What has expired goes, and what is over the limit.
        while self._kept:
            oldest = next(iter(self._kept))
            if len(self._kept) <= self._limit and self._kept[oldest].until >= now:
                break
            del self._kept[oldest]
