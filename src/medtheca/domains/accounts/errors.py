"""What accounts refuse."""

from __future__ import annotations

from collections.abc import Sequence

from medtheca.base.errors import Busy, Conflict, Invalid, NotFound


class EmailTaken(Conflict):
    """Another user has this address."""

    code = "email_taken"

    def __init__(self, email: str) -> None:
        super().__init__(f"There is a user with the address {email} already.", remedy="Use another address.")


class UnknownUser(NotFound):
    """Nobody has this address."""

    code = "unknown_user"

    def __init__(self, email: str) -> None:
        super().__init__(f"There is no user with the address {email}.", remedy="`medtheca user list` shows all.")


class UnknownToken(NotFound):
    """The user has no such token."""

    code = "unknown_token"

    def __init__(self, token_id: int) -> None:
        super().__init__(f"This user has no token number {token_id}.", remedy="The list of tokens shows their numbers.")


class TooManyTokens(Conflict):
    """The user has as many live tokens as one may have."""

    code = "too_many_tokens"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"You have {limit} live tokens, and that is the most one person may have.",
            remedy="Revoke one that is no longer used.",
        )


class BadUser(Invalid):
    """Something about a user cannot be used; `problems` names each field."""


class BadToken(Invalid):
    """Something about a token cannot be used; `problems` names each field."""


class PasswordsBusy(Busy):
    """More people log in at once than passwords can be checked."""

    def __init__(self) -> None:
        super().__init__(
            "More people are logging in than passwords can be checked at once.",
            remedy=f"Try again in {self.wait} seconds.",
        )


class UnknownExport(NotFound):
    """The user has no such export, or it is gone after its day."""

    code = "unknown_export"

    def __init__(self) -> None:
        super().__init__("There is no such export, or its day is over.", remedy="Ask for a new one.")


class LastOwner(Conflict):
    """Somebody answers for things alone, so their account cannot go."""

    code = "last_owner"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"The only owner of {', '.join(names)} cannot be deleted.",
            remedy="Make somebody else an owner first, or close what nobody needs.",
        )
        self.names = tuple(names)
