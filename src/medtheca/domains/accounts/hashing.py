"""Hashing passwords, a few at a time: each takes 100 MB of memory, and ten at once would take a gigabyte."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher

from medtheca.domains.accounts.errors import PasswordsBusy


class Turns:
    """At most `at_once` callers inside, at most `waiting` before the door, each for `patience` seconds at most."""

    def __init__(self, *, at_once: int, waiting: int, patience: float) -> None:
        self._inside = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._places = waiting
        self._patience = patience

    @contextmanager
    def take(self) -> Iterator[None]:
        """Be inside. Raises `PasswordsBusy` where too many wait already, or it takes too long."""
        if not self._inside.acquire(blocking=False):
            self._wait()
        try:
            yield
        finally:
            self._inside.release()

    def _wait(self) -> None:
        with self._lock:
            if self._places == 0:
                raise PasswordsBusy
            self._places -= 1
        try:
            if not self._inside.acquire(timeout=self._patience):
                raise PasswordsBusy
        finally:
            with self._lock:
                self._places += 1


# Of the ten threads that answer pages, two hash and six wait at most, so that pages without a password go on.
_TURNS = Turns(at_once=2, waiting=6, patience=10)


class BoundedArgon2(Argon2PasswordHasher):
    """Django's Argon2, in turns. What it writes is the same, and it reads what Django's wrote."""

    def encode(self, password: str, salt: str) -> str:
        with _TURNS.take():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _TURNS.take():
            return super().verify(password, encoded)
