"""What is wrong with a piece of JSON, and where."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from medtheca.toolkit.suggest import did_you_mean

LARGEST = 100_000
"""Characters of JSON that are read at all."""

_DEEPEST = 20
_NO_TEXT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that is broken.

    Attributes:
        path: where, as steps into the JSON: the number of a viewport from 0, or a key.
        code: stable, for programs.
        message: a sentence that names the place and what is wrong.
        remedy: what would be right.
    """

    path: tuple[int | str, ...]
    code: str
    message: str
    remedy: str = ""

    def __post_init__(self) -> None:
        """Steps come from what somebody wrote."""
        steps = (step if isinstance(step, int) else said(step) for step in self.path)
        object.__setattr__(self, "path", tuple(steps))

    @property
    def place(self) -> str:
        """The path as text.

        >>> Fault((1, "parent_id"), "unknown", "").place
        '[1].parent_id'
        """
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return "".join(steps).removeprefix(".")


def read_json(text: str) -> tuple[Any, Fault | None]:
    """What a text says as JSON, or why it is none, with the line and column.

    >>> read_json('[{"viewport_name": "main"}]')
    ([{'viewport_name': 'main'}], None)
    >>> read_json("[{]")[1].message
    'Line 1, column 3: this is no JSON (expecting property name enclosed in double quotes).'
    >>> read_json('[{"x": 1, "x": 2}]')[1].message
    'The key x is given twice in one object.'
    """
    if len(text) > LARGEST:
        return None, Fault((), "too_large", f"The JSON has more than {LARGEST:,} characters.", "Shorten it.")
    try:
        read = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:]
        message = f"Line {error.lineno}, column {error.colno}: this is no JSON ({reason})."
        return None, Fault((), "no_json", message, "Look for a missing comma, quotation mark or bracket there.")
    except _Unfit as error:
        return None, Fault((), "no_json", str(error), error.remedy)
    except (RecursionError, ValueError):  # ValueError: an integer of thousands of digits
        return None, Fault((), "no_json", "This JSON is deeper or has longer numbers than anything here needs.", "")
    return (read, None) if fits_depth(read) else (None, Fault((), "no_json", "The JSON is nested too deeply.", ""))


def fits_depth(value: Any, left: int = _DEEPEST) -> bool:
    """Whether a value is nested no deeper than anything that is kept here needs to be."""
    if not isinstance(value, (dict, list)):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return left > 0 and all(fits_depth(one, left - 1) for one in inner)


def shown(value: Any) -> str:
    """A wrong value within a sentence: as JSON, shortened.

    >>> shown(True), shown("x" * 60)[:5], len(shown("x" * 60))
    ('true', '"xxxx', 40)
    """
    return said(json.dumps(value, ensure_ascii=False, default=str))


def said(text: str) -> str:
    r"""A text of somebody's within a sentence: shortened, with nothing in it that no answer could carry.

    >>> said("drag\x00able\ud800")
    'drag?able?'
    """
    short = text if len(text) <= 40 else f"{text[:39]}…"
    return _NO_TEXT.sub("?", short)


def one_of(words: Sequence[str], given: object = None) -> str:
    """What would be right where one of several words is wanted.

    >>> one_of(("axial", "coronal"), "axal")
    "Did you mean 'axial'? Known are axial and coronal."
    """
    *head, last = words
    known = f"Known are {', '.join(head)} and {last}." if head else f"Known is {last}."
    return f"{did_you_mean(given, words) if isinstance(given, str) else ''} {known}".strip()


class _Unfit(Exception):
    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise _Unfit(f"The key {said(key)} is given twice in one object.", "Keep one of them.")
        made[key] = value
    return made


def _no_constant(name: str) -> None:
    raise _Unfit(f"{name} is no number in JSON.", "Write a number, or leave the key out.")
