"""How commands print: JSON for programs, lines for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from medtheca.domains.access.models import Invitation


def print_json(value: Any) -> None:
    """Print a value as JSON over several lines."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def time_of(value: datetime | None) -> str | None:
    """A time as ISO 8601 to the second."""
    return value.isoformat(timespec="seconds") if value else None


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print what is said of one thing: a line a fact, `-` where there is none; further lines of a text are indented."""
    width = max(map(len, facts))
    for name, value in facts.items():
        lines = [printable(line) for line in str("" if value is None else value).splitlines()] or [""]
        click.echo(f"{name.replace('_', ' '):<{width}}  {lines[0] or '-'}")
        for line in lines[1:]:
            click.echo(f"{'':<{width}}  {line}".rstrip())


def print_rows(rows: Iterable[Sequence[object]]) -> None:
    """Print rows of a list, their cells between tabs; `-` where there is nothing."""
    for row in rows:
        click.echo("\t".join(printable("" if cell is None else str(cell)) or "-" for cell in row))


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "item"), counted(1200, "item")
    ('1 item', '1,200 items')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    r"""A text in one line: what others wrote must neither break a list nor command the terminal.

    >>> printable("Clinic\t\x1b[2J 2026")
    'Clinic  [2J 2026'
    """
    return "".join(sign if sign.isprintable() else " " for sign in text)


def invitation_facts(row: Invitation) -> dict[str, Any]:
    """What is printed of an invitation. Its secret is in the mail alone."""
    return {
        "id": row.pk,
        "email": row.email,
        "role": row.role,
        "created": time_of(row.created),
        "expires": time_of(row.expires),
    }
