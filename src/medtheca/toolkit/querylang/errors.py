"""Why a query cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.suggest import as_question


class QueryError(Refused):
    """A query that is no query: where, what would have been expected there, and what may have been meant.

    `column` counts characters from 1 and `length` is how many of them are concerned, at least 1. `suggestions` are
    words to put in their place, the best first.
    """

    def __init__(
        self,
        code: str,
        message: str,
        remedy: str = "",
        *,
        column: int = 1,
        length: int = 1,
        expected: str = "",
        suggestions: Sequence[str] = (),
    ) -> None:
        super().__init__(code, message, remedy)
        self.column = column
        self.length = max(1, length)
        self.expected = expected
        self.suggestions = tuple(suggestions)

    def __str__(self) -> str:
        parts = (f"Column {self.column}: {self.message}", as_question(self.suggestions), self.remedy)
        return " ".join(part for part in parts if part)
