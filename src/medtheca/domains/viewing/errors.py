"""Refusals of viewing."""

from __future__ import annotations

from collections.abc import Sequence

from medtheca.base.errors import Conflict


class InUse(Conflict):
    """Something else refers to it, so it cannot go, or not change so.

    `named` says where as far as everybody may know it; `elsewhere` that there is more, of which not everybody may.
    """

    code = "in_use"

    def __init__(self, what: str, *, named: Sequence[str], elsewhere: bool, remedy: str) -> None:
        more = ["others that are not named here"] if elsewhere and named else ["something that is not named here"]
        parts = [*named, *(more if elsewhere else [])]
        listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
        super().__init__(f"{what}: it is used by {listed}.", remedy=remedy)
        self.what, self.named, self.elsewhere = what, tuple(named), elsewhere
