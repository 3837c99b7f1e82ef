"""One snapshot an answer, and what of the log of changes is new to an index in it.

A change is in the log under the id of its transaction. What an index has seen is therefore a snapshot of PostgreSQL
itself: new are the changes of transactions that were running then or came later. The order of the log's own keys is no
order of commits and would lose what commits late.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from medtheca.base.statements import array_of, fetch_prepared
from medtheca.domains.search.enums import ChangeKind
from medtheca.domains.search.errors import SearchTooSlow


@dataclass(slots=True)
class Snapshot:
    """A transaction that sees one moment. `view` is for whoever remembers what it saw in it."""

    view: object | None = None


_log = logging.getLogger(__name__)
_ours: ContextVar[Snapshot | None] = ContextVar("search_snapshot", default=None)
_PROBE = """
SELECT s.epoch, s.version, s.horizon, pg_current_snapshot()::text, pg_current_xact_id_if_assigned() IS NOT NULL,
    (extract(epoch FROM statement_timestamp()) * 1000000)::bigint,
    (SELECT oid FROM pg_database WHERE datname = current_database()), 'search_indexchange'::regclass::oid,
    (SELECT coalesce(max(id), 0) FROM search_indexchange), c.id, c.kind, c.scope, c.images,
    -- What follows in the transaction is asked by keys: planning it anew each time takes longer than answering.
    set_config('plan_cache_mode', 'force_generic_plan', true)
FROM search_indexstate s
    LEFT JOIN search_indexchange c ON c.xid >= %s::bigint OR c.xid = ANY(%s::bigint[]) OR c.id > %s::bigint
WHERE s.id = 1
"""
_NO_CHANGES = (2**62, "{}", 2**62)


@dataclass(frozen=True, slots=True)
class Seen:
    """A snapshot: transactions below `xmax` had ended, but for the `running` ones. `last` is the log's greatest key.

    The key is needed after a crash only: the id of a transaction that never reached the disk may be given again.
    """

    xmax: int
    running: tuple[int, ...]
    last: int

    @classmethod
    def read(cls, text: str, last: int) -> Seen:
        """Of the text form of `pg_snapshot`, such as `10:20:10,14`."""
        _, xmax, running = text.split(":")
        return cls(int(xmax), tuple(int(xid) for xid in running.split(",") if xid), last)

    @property
    def xmin(self) -> int:
        """Every transaction below it had ended."""
        return min(self.running, default=self.xmax)

    def is_within(self, later: Seen) -> bool:
        """Whether everything that was over here is over there, too."""
        before = set(self.running)
        return self.xmax <= later.xmax and all(xid >= self.xmax or xid in before for xid in later.running)


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the log."""

    id: int
    kind: ChangeKind
    scope: int | None
    images: list[int]


@dataclass(frozen=True, slots=True)
class News:
    """What one look at the log told: which index is kept, the present snapshot and moment, and the changes since.

    `place` tells databases and tables apart that come after each other under one address. `is_writing` says that the
    transaction has written something itself, which nobody else may come to know. Moments are microseconds since 1970.
    """

    epoch: UUID
    version: int
    horizon: int
    snapshot: str
    is_writing: bool
    moment: int
    place: tuple[int, int]
    last: int
    changes: list[Change]

    @property
    def seen(self) -> Seen:
        """What whoever has applied the changes has seen."""
        return Seen.read(self.snapshot, self.last)


@contextmanager
def one_snapshot(*, patient: bool = False) -> Iterator[None]:
    """Everything read inside is of one moment. Within a transaction of the caller's, it is as that transaction is.

    Raises `SearchTooSlow` where it takes longer than the setting allows, unless the caller is `patient`.
    """
    if connection.in_atomic_block:
        yield
        return
    seconds: int = 0 if patient else settings.ENVIRONMENT.search_seconds
    with _given_up_after(seconds), transaction.atomic():
        with connection.cursor() as cursor:
            # As statements, which end with their transaction: what psycopg's connection is told goes on to the next.
            cursor.execute(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
                f" SET LOCAL statement_timeout = '{seconds:d}s'"
            )
        token = _ours.set(Snapshot())
        try:
            yield
        finally:
            _ours.reset(token)


@contextmanager
def _given_up_after(seconds: int) -> Iterator[None]:
    """No statement begins after so many seconds; PostgreSQL cuts off the one that lasts as long. 0 is for ever."""
    if not seconds:
        yield
        return
    end = time.monotonic() + seconds

    def execute_in_time(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - so Django calls it
        if time.monotonic() > end:
            _log.warning("A search was given up after %d seconds.", seconds)
            raise SearchTooSlow(seconds)
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(execute_in_time):
            yield
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        _log.warning("A search was given up after %d seconds of one statement.", seconds)
        raise SearchTooSlow(seconds) from error


def present_snapshot() -> Snapshot | None:
    """The transaction that `one_snapshot` began; None outside of one."""
    return _ours.get()


def look(seen: Seen | None) -> News | None:
    """What is new since `seen`, in the present snapshot; without it no changes. None where there is no state."""
    wanted = (seen.xmax, array_of(seen.running), seen.last) if seen else _NO_CHANGES
    rows = fetch_prepared(_PROBE, wanted)
    if not rows:
        return None
    epoch, version, horizon, snapshot, is_writing, moment, database, table, last = rows[0][:9]
    changes = [Change(row[9], ChangeKind(row[10]), row[11], row[12]) for row in rows if row[9] is not None]
    # A log that was shortened has forgotten its greatest key, which its changes then did not have.
    last = max(last, seen.last if seen else 0)
    return News(epoch, version, horizon, snapshot, is_writing, moment, (database, table), last, changes)
