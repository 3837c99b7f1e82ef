"""What accounts refuse."""

from __future__ import annotations

from medtheca.base.errors import Conflict, Invalid, NotFound


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
