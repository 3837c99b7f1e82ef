"""A query as somebody wrote it."""

from __future__ import annotations

from medtheca.base.errors import Invalid, Problem
from medtheca.toolkit.querylang import Node, QueryError, parse
from medtheca.toolkit.suggest import as_question

# ISIC's client looks for the word `query` in it to tell a bad query from a fault.
NOT_READ = "Could not parse search query."


class BadQuery(Invalid):
    """The text is no query. `error` says where and why."""

    code = "bad_query"

    def __init__(self, error: QueryError) -> None:
        help_ = " ".join(part for part in (as_question(error.suggestions), error.remedy) if part)
        problem = Problem("query", f"Column {error.column}: {error.message}", code=error.code, remedy=help_)
        super().__init__(NOT_READ, problems=[problem], remedy=str(error))
        self.error = error


def read_query(text: str) -> Node:
    """The tree of a query; the empty one finds everything. Raises `BadQuery`."""
    try:
        return parse(text)
    except QueryError as error:
        raise BadQuery(error) from error
