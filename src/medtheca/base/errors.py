"""Refusals that domains raise and interfaces translate. They know nothing of HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class DomainError(Exception):
    """An anticipated refusal: a sentence for the person, and what would be right.

    >>> error = Conflict("a.jpg is already in this cohort.", remedy="Rename the file.")
    >>> error.message, error.code
    ('a.jpg is already in this cohort.', 'conflict')
    """

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        if code is not None:
            self.code = code


class NotAllowed(DomainError):
    """The person sees the thing, but may not do this to it. What they may not see is `NotFound`."""

    code = "not_allowed"


class NotFound(DomainError):
    """There is no such thing, or the person may not know of it."""

    code = "not_found"


class Erased(DomainError):
    """There was such a thing, and it was erased; nobody is told more than since when."""

    code = "erased"


class Conflict(DomainError):
    """The thing is not in the state that this needs, or a name is taken."""

    code = "conflict"


class TooLarge(DomainError):
    """More bytes or files than a limit allows."""

    code = "too_large"


class NoSpace(DomainError):
    """The disk reserve would be touched; nothing was written."""

    code = "no_space"


class Busy(DomainError):
    """This cannot be done now, and may be possible after `wait` seconds."""

    code = "busy"
    wait = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one field or row."""

    field: str
    message: str
    code: str = "invalid"
    remedy: str = ""


class Invalid(DomainError):
    """Input that cannot be used, with every problem found."""

    code = "invalid"

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.problems = tuple(problems)
