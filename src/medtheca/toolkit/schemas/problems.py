"""What is wrong with a row or a batch, said so that the person with the spreadsheet can mend it."""

from dataclasses import dataclass

LONGEST_QUOTATION = 80


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One reason why one row cannot be accepted.

    `code` is stable and for programs; `related` names the other fields that take part.
    """

    field: str
    value: str
    code: str
    message: str
    remedy: str
    related: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BatchProblem:
    """One reason why rows contradict each other; `rows` are the labels that the caller gave them."""

    field: str
    value: str
    code: str
    message: str
    remedy: str
    rows: tuple[str, ...]


@dataclass(frozen=True)
class Note:
    """Something that was changed on the way in and should be told, though nothing is wrong."""

    field: str
    message: str


def quoted(text: str) -> str:
    """A value in quotation marks, cut short when it would drown the message.

    >>> quoted("nevus")
    "'nevus'"
    """
    short = text if len(text) <= LONGEST_QUOTATION else text[: LONGEST_QUOTATION - 1] + "…"
    return f"'{short}'"
