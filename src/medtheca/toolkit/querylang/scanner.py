"""A place in a query's text, and how to go on from there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from medtheca.toolkit.querylang.errors import QueryError

_SPACE = re.compile(r"\s*")
_KEYWORD_END = re.compile(r"(?![\w:*.])")


class Scanner:
    """Reads a text from left to right and never goes back, so that reading takes time in proportion to its length."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @property
    def at_end(self) -> bool:
        return self.at >= len(self.text)

    @property
    def next(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.at : self.at + 1]

    def skip_space(self) -> None:
        """Go to the next character that is no space."""
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def looking_at(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What matches here, without going on."""
        return pattern.match(self.text, self.at)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What matches here, and go behind it."""
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def take_text(self, text: str) -> bool:
        """Whether this very text stands here; if so, go behind it."""
        if not self.text.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def take_keyword(self, word: str) -> bool:
        """Whether this word stands here as a word of its own; if so, go behind it."""
        end = self.at + len(word)
        if not self.text.startswith(word, self.at) or not _KEYWORD_END.match(self.text, end):
            return False
        self.at = end
        return True

    def fail(
        self,
        code: str,
        message: str,
        remedy: str = "",
        *,
        at: int | None = None,
        length: int = 1,
        expected: str = "",
        suggestions: Sequence[str] = (),
    ) -> NoReturn:
        """Raise `QueryError` for this place, or for the one that is given."""
        column = (self.at if at is None else at) + 1
        raise QueryError(
            code, message, remedy, column=column, length=length, expected=expected, suggestions=suggestions
        )
