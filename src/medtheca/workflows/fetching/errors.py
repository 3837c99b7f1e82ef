"""Why an archive does not give what it was asked for."""

from __future__ import annotations

from medtheca.base.errors import DomainError


class HostRefuses(DomainError):
    """The archive answered that it will not: `status` is HTTP's."""

    code = "host_refuses"

    def __init__(self, message: str, *, status: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class HostSilent(DomainError):
    """The archive cannot be reached, or breaks off again and again."""

    code = "host_silent"


class HostOdd(DomainError):
    """What it answered makes no sense, or must not be followed."""

    code = "host_odd"


class CannotWrite(DomainError):
    """A file cannot be written here."""

    code = "cannot_write"
