"""Why another archive does not give what it was asked for."""

from __future__ import annotations

from medtheca.base.errors import DomainError


class HostError(DomainError):
    """The other archive did not give it."""

    code = "host"


class Passing(HostError):
    """It may be over on another try; `after` is how many seconds the host asks to be left alone."""

    code = "host_passing"

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Mismatch(Passing):
    """What came is not what the host promised: cut on its way perhaps, or promised wrongly."""

    code = "host_mismatch"


class Unavailable(HostError):
    """It was tried as often as is polite."""

    code = "host_unavailable"


class Denied(HostError):
    """The host answered that it will not; `status` is HTTP's."""

    code = "host_denied"

    def __init__(self, message: str, *, status: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class Unusable(HostError):
    """What the host answered makes no sense, or must not be followed."""

    code = "host_unusable"


class AsksToWait(HostError):
    """The host asks to be left alone for longer than a run waits."""

    code = "host_asks_to_wait"
