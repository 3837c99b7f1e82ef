"""Work that only one process of an archive does at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def only_one(number: int) -> Iterator[bool]:
    """Whether nobody else holds the advisory lock of this number; where so, it is held until the end.

    It is the session's, so that the work may be several transactions.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        alone = bool(cursor.fetchone()[0])
        try:
            yield alone
        finally:
            # A process that dies lets go of it with its connection.
            if alone and not connection.needs_rollback:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
