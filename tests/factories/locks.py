"""Tables that somebody else holds, so that whoever asks has to wait."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from django.conf import settings
from django.db import connection
from django.test import override_settings


@contextmanager
def table_locked(table, *, seconds=None):
    """Nobody reads the table meanwhile; with `seconds`, for so long only."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=False) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        release = threading.Timer(seconds or 0, other.rollback)
        if seconds:
            release.start()
        try:
            yield
        finally:
            release.join() if seconds else other.rollback()


def searches_within(seconds):
    """A search is given so many seconds meanwhile."""
    return override_settings(ENVIRONMENT=replace(settings.ENVIRONMENT, search_seconds=seconds))
