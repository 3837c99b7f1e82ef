"""The index as it is kept in the database: read, written, made anew, compared with the truth."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Max

from medtheca.base.clock import now
from medtheca.base.errors import Conflict
from medtheca.base.locks import only_one
from medtheca.domains.search.index.catching_up import Touched, apply
from medtheca.domains.search.index.reading import CannotIndex, read_archive
from medtheca.domains.search.index.snapshots import News, Seen, look
from medtheca.domains.search.models import IndexChange, IndexPart, IndexState
from medtheca.domains.search.texts import mend_texts, texts_amiss
from medtheca.toolkit.bitmaps.archive import LAYOUT, Archive
from medtheca.toolkit.bitmaps.packing import Unreadable

_log = logging.getLogger(__name__)
# Whoever holds this advisory lock writes; the number is "search" on a telephone's keys.
_LOCK = 732724
_MANY_CHANGES = 500
# One change may be of a hundred thousand images. Well below what a process catches up with by itself (`holding`).
_MANY_THINGS = 2_000
_OFTEN_ENOUGH = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Status:
    """What is kept. `usable` is whether this release reads it; `waiting` counts changes in the log since.

    `bytes` are those of the parts.
    """

    usable: bool
    version: int
    images: int
    parts: int
    bytes: int
    waiting: int
    kept: str


def load(state: IndexState) -> tuple[Archive, Seen] | None:
    """The kept index and what it has seen, read within the caller's snapshot; None where it is no use here."""
    if not _is_usable(state):
        return None
    parts = IndexPart.objects.values_list("name", "data")
    try:
        archive = Archive.of_parts((name, bytes(data)) for name, data in parts.iterator(chunk_size=1))
    except Unreadable:
        _log.exception("The search index that is kept cannot be read; SQL answers until it is made anew.")
        return None
    return archive, Seen.read(state.snapshot, state.last_change)


def state_kept() -> IndexState | None:
    """The row that says what is kept."""
    return IndexState.objects.filter(pk=1).first()


def keep_index(*, anew: bool = False) -> str:
    """Write the index down as it is now, if there is reason to, and shorten the log; what was done, in a word.

    May run at any time, by anybody, and be cut off anywhere: it is one transaction. `anew` makes it from the tables.
    Raises `Conflict` where `anew` is asked for while somebody else writes.
    """
    if anew:
        mend_texts()
    with only_one(_LOCK) as alone, _writing_snapshot():
        if not alone:
            if anew:
                raise Conflict("Somebody else is writing the search index.", remedy="Try again in a minute.")
            return "busy"
        state = state_kept()
        if state is not None and not anew and (done := _renew(state)):
            return done
        try:
            archive = read_archive()
        except CannotIndex as refusal:
            _log.warning("There is no search index: %s SQL answers.", refusal)
            return "impossible"
        _write_anew(archive, state)
        return "rebuilt"


def find_differences() -> list[str]:
    """Parts of the kept index, brought up to date, that say something else than the tables; empty where all is well.

    Among them `texts`, the words that SQL keeps.

    Raises `Conflict` where nothing is kept.
    """
    with _writing_snapshot():
        state = state_kept()
        kept = load(state) if state is not None else None
        if kept is None:
            raise Conflict("No search index is kept.", remedy="medtheca index rebuild")
        archive, seen = kept
        news = look(seen)
        touched = Touched.by(news.changes if news else [])
        if touched.everything:
            raise Conflict("The tables were emptied since the index was kept.", remedy="medtheca index rebuild")
        apply(archive, touched)
        return [*read_archive().differences(archive), *(["texts"] if texts_amiss(most=1) else [])]


def status() -> Status:
    """What is kept now."""
    with transaction.atomic():
        state = state_kept()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*), coalesce(sum(length(data)), 0) FROM search_indexpart")
            parts, size = cursor.fetchone()
        news = look(Seen.read(state.snapshot, state.last_change)) if state is not None and state.snapshot else None
        waiting = len(news.changes) if news else IndexChange.objects.count()
        return Status(
            usable=state is not None and _is_usable(state),
            version=state.version if state else 0,
            images=state.images if state else 0,
            parts=int(parts),
            bytes=int(size),
            waiting=waiting,
            kept=state.kept.isoformat() if state and state.kept else "",
        )


@contextmanager
def _writing_snapshot() -> Iterator[None]:
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _is_usable(state: IndexState) -> bool:
    return state.version > 0 and state.layout == LAYOUT and state.cluster == _cluster()


def _cluster() -> str:
    """Which server's transactions the log counts, and in which table: neither survives a dump."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT system_identifier || ' ' || 'search_indexchange'::regclass::oid::text FROM pg_control_system()"
        )
        return str(cursor.fetchone()[0])


def _is_due(state: IndexState, news: News, touched: Touched) -> bool:
    if not news.changes:
        return False
    many = len(news.changes) >= _MANY_CHANGES or touched.number >= _MANY_THINGS
    return many or state.kept is None or now() - state.kept > _OFTEN_ENOUGH


def _renew(state: IndexState) -> str | None:
    """Bring what is kept up to date, if it is due, and say so in a word; None where it is no use.

    It looks every minute and is seldom due: of ten million images, what is kept is 355 MB and takes 1 GB to load.
    """
    if not _is_usable(state):
        return None
    news = look(Seen.read(state.snapshot, state.last_change))
    touched = Touched.by(news.changes if news else [])
    if news is None or touched.everything or not _is_whole():
        return None
    if not _is_due(state, news, touched):
        return "kept"
    kept = load(state)
    if kept is None:
        return None
    archive, _ = kept
    apply(archive, touched)
    _write(archive, state, news)
    return "renewed"


def _is_whole() -> bool:
    """Whether the parts are all there, and what was written."""
    names = [name for name, _ in Archive().parts()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM search_indexpart WHERE name = ANY(%s) AND encode(sha256(data), 'hex') = digest",
            [names],
        )
        return bool(cursor.fetchone()[0] == len(names))


def _write_anew(archive: Archive, state: IndexState | None) -> None:
    if state is None:
        state = IndexState.objects.create(pk=1, epoch=uuid4())
    news = look(None)
    assert news is not None  # The row is there now.
    # All that this snapshot sees is in the archive, whatever ids of transactions stand beside it.
    IndexChange.objects.all().delete()
    # Whole parts, too: a damaged one has the digest of what it should be.
    IndexPart.objects.all().delete()
    state.epoch, state.horizon = uuid4(), 0
    _write(archive, state, news)


def _write(archive: Archive, state: IndexState, news: News) -> None:
    digests = dict(IndexPart.objects.values_list("name", "digest"))
    names = []
    for name, data in archive.parts():
        names.append(name)
        digest = hashlib.sha256(data).hexdigest()
        if digests.get(name) != digest:
            IndexPart.objects.update_or_create(name=name, defaults={"digest": digest, "data": data})
    IndexPart.objects.exclude(name__in=names).delete()
    state.version += 1
    state.layout, state.cluster, state.snapshot = LAYOUT, _cluster(), news.snapshot
    state.last_change, state.images, state.kept = news.last, len(archive.images), now()
    # Every one of these is in the archive; a process that has not seen them all reads it again.
    over = IndexChange.objects.filter(xid__lt=news.seen.xmin)
    state.horizon = 1 + (over.aggregate(largest=Max("xid"))["largest"] or state.horizon - 1)
    over.delete()
    state.save()
