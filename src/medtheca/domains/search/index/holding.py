"""The index of this process: brought up to date before each answer, or not used at all."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import DatabaseError

from medtheca.domains.search.errors import SearchTooSlow
from medtheca.domains.search.index.catching_up import Touched, apply
from medtheca.domains.search.index.keeping import load, state_kept
from medtheca.domains.search.index.reading import CannotIndex, has_more_images_than, read_archive
from medtheca.domains.search.index.snapshots import News, Seen, Snapshot, look, present_snapshot
from medtheca.toolkit.bitmaps.archive import Archive

_log = logging.getLogger(__name__)
MOST_BEHIND = 10_000
"""With more to read than this, SQL answers until somebody has kept a newer index."""
FEW_IMAGES = 5_000
"""Of so few images a process makes its index by itself, where none is kept."""
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class View:
    """The index in the snapshot of the present transaction, at its moment; to be used while it is held only.

    `revision` tells whether anything has changed between two views.
    """

    archive: Archive
    moment: int
    revision: int


@dataclass(slots=True)
class _Held:
    archive: Archive
    seen: Seen
    epoch: UUID
    place: tuple[int, int]


class Holder:
    """What a process has of the index. Threads take turns: an answer costs a few milliseconds."""

    def __init__(self) -> None:
        self._turn = threading.RLock()
        self._held: _Held | None = None
        self._revision = 0
        self._useless: tuple[UUID, int] | None = None

    @contextmanager
    def view(self) -> Iterator[View | None]:
        """The index as the present snapshot has it; None where SQL has to answer."""
        snapshot = present_snapshot()
        if snapshot is None or not self._turn.acquire(timeout=_PATIENCE):
            yield None
            return
        try:
            yield self._again(snapshot) if snapshot.view is not None else self._first(snapshot)
        finally:
            self._turn.release()

    def _first(self, snapshot: Snapshot) -> View | None:
        try:
            moment = self._catch_up()
        except (DatabaseError, SearchTooSlow):
            raise  # The transaction is over; SQL could not answer in it either.
        except Exception:  # noqa: BLE001 - whatever it is, SQL can answer
            # A row that nobody foresaw must not end in a page of errors: SQL takes it as it is.
            _log.exception("The search index cannot be brought up to date; SQL answers.")
            moment = None
        if moment is None or self._held is None:
            return None
        found = View(self._held.archive, moment, self._revision)
        snapshot.view = found
        return found

    def _again(self, snapshot: Snapshot) -> View | None:
        """The same once more, where no other thread has brought the index beyond this snapshot meanwhile."""
        found = snapshot.view
        return found if isinstance(found, View) and found.revision == self._revision else None

    def forget(self) -> None:
        """Begin again, as a new process does."""
        with self._turn:
            self._held = None
            self._useless = None
            self._revision += 1

    def _catch_up(self) -> int | None:
        """Bring the index up to the present snapshot; its moment, or None where there is any doubt."""
        held = self._held
        news = look(held.seen if held else None)
        if news is None or news.is_writing:
            return None
        if held is None or not _is_of(held, news):
            return self._begin(news)
        if not held.seen.is_within(news.seen):
            return None  # Another thread was faster: the index is beyond this snapshot.
        touched = Touched.by(news.changes)
        if touched.everything or touched.number > MOST_BEHIND:
            return self._begin(news)
        return self._apply(held, touched, news)

    def _begin(self, news: News) -> int | None:
        """Take what is kept, or, of few images, make it."""
        kept = (news.epoch, news.version)
        if kept != self._useless:
            held = self._load(news)
            if held is not None:
                news = look(held.seen) or news
                touched = Touched.by(news.changes)
                if not touched.everything and touched.number <= MOST_BEHIND:
                    return self._apply(held, touched, news)
            # Reading it takes a while: not again before somebody has kept another.
            self._useless = kept
        if has_more_images_than(FEW_IMAGES):
            return None
        try:
            archive = read_archive()
        except CannotIndex:
            return None
        return self._apply(_Held(archive, news.seen, news.epoch, news.place), Touched(), news)

    def _load(self, news: News) -> _Held | None:
        state = state_kept()
        kept = load(state) if state is not None else None
        return _Held(*kept, news.epoch, news.place) if kept is not None else None

    def _apply(self, held: _Held, touched: Touched, news: News) -> int | None:
        try:
            apply(held.archive, touched)
        except (DatabaseError, SearchTooSlow):
            self._held = None  # Half of it is new. What is kept is as good as it was.
            raise
        except BaseException:
            self._held = None
            self._useless = (news.epoch, news.version)
            raise
        held.seen = news.seen
        if touched.number or self._held is not held:
            self._revision += 1
        self._held = held
        return news.moment


def _is_of(held: _Held, news: News) -> bool:
    """Whether what is held can be brought up to date by the log that is there."""
    if held.epoch != news.epoch or held.place != news.place:
        return False
    return held.seen.xmax >= news.horizon and all(xid >= news.horizon for xid in held.seen.running)


HOLDER = Holder()
"""The one of this process."""
