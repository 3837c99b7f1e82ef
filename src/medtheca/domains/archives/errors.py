"""Refusals of archives."""

from __future__ import annotations

from medtheca.base.errors import Conflict


class NotHereYet(Conflict):
    """The archive knows this use of its items, but nothing here can do it yet."""

    code = "not_here_yet"
