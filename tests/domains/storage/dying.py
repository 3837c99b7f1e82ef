"""The death of a process at a chosen step out of it: a system call on files, or a statement to the database.

After it every further such step fails too, so that no clean-up code runs that a killed process would not have run.
"""

import os
from pathlib import Path

from django.db import connection


class Killed(BaseException):
    """The process ended here."""


class Shim:
    """Counts steps out of the process and kills at the n-th, for good."""

    def __init__(self):
        self.left = None
        self.hits = 0

    def count(self):
        if self.left is None:
            return
        self.left -= 1
        if self.left <= 0:
            self.hits += self.left == 0
            raise Killed

    def wrap(self, function):
        def counted(*arguments, **options):
            self.count()
            return function(*arguments, **options)

        return counted

    def statement(self, execute, sql, params, many, context):
        self.count()
        return execute(sql, params, many, context)


SHIM = Shim()
PATCHED = [(os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (Path, "hardlink_to")]


def die():
    """What the death of a process does to its session: the connection closes, locks and transactions end."""
    SHIM.left = None
    raw = connection.connection
    if raw is not None:
        raw.close()
    connection.connection = None
    connection.in_atomic_block = False
    connection.savepoint_ids = []
    connection.atomic_blocks = []
    connection.needs_rollback = False
    connection.closed_in_transaction = False
    connection.close_pool()
