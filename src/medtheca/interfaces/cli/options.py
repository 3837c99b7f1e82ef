"""Options that several commands take."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from medtheca.toolkit.schemas import find_licence

_F = TypeVar("_F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def acting(who: str) -> Callable[[_F], _F]:
    """The option that says whose doing it is; `who` says who may."""
    return click.option("--as", "email", metavar="EMAIL", required=True, help=who)


def licence_given(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """A licence by SPDX or ISIC's code, as its SPDX name; nothing stays nothing. For options' `callback`."""
    if not value:
        return value
    try:
        return find_licence(value).spdx
    except LookupError as error:
        raise click.BadParameter(str(error)) from error


def changes(**given: Any) -> dict[str, Any]:
    """What was given of options that may be left out. Raises `UsageError` where nothing was."""
    said = {name: value for name, value in given.items() if value is not None}
    if not said:
        raise click.UsageError("Say what to change; --help lists what can be.")
    return said


def read_secret() -> str:
    """The secret of an invitation, from its link or bare, by prompt or the first line of standard input.

    Never from the command line, where other users of the machine could read it.
    """
    if sys.stdin.isatty():
        given: str = click.prompt("Link of the invitation", hide_input=True, err=True)
    else:
        given = sys.stdin.readline()
    return given.strip().rstrip("/").rpartition("/")[2]
