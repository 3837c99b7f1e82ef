"""Values of sockets as the cells of a spreadsheet or the boxes of a form, and back."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from medtheca.toolkit.errors import Refused

_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
_WHOLE = re.compile(r"[+-]?[0-9]{1,300}(?:\.0*)?")
_TEXTS = ("STR", "CHOI")


def write_cell(value: Any) -> str | int | float:
    """A JSON value as a cell: texts and numbers as they are, true and false as words, the rest as JSON.

    >>> write_cell(0.5), write_cell(True), write_cell("mild"), write_cell(["a", "b"])
    (0.5, 'true', 'mild', '["a", "b"]')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return value
    return json.dumps(value, ensure_ascii=False)


def read_cell(kind: str, text: str) -> Any:
    """What a cell says for a kind of socket; texts are taken as they are, several choices also between semicolons.

    Whether the value obeys the schema is `values.check_value`'s to say. Raises `Refused`.

    >>> read_cell("FLT", "1e-3"), read_cell("INT", "7.0"), read_cell("BOOL", "Yes"), read_cell("MCHO", "left; right")
    (0.001, 7, True, ['left', 'right'])
    """
    if kind in _TEXTS:
        return text
    said = text.strip()
    if kind == "INT":
        if not _WHOLE.fullmatch(said):
            raise Refused("not_a_whole_number", f"{_short(said)} is not a whole number.", "Write one, such as 12.")
        return int(said.partition(".")[0])
    if kind == "FLT":
        return _number(said)
    if kind == "BOOL":
        if said.casefold() in _TRUE | _FALSE:
            return said.casefold() in _TRUE
        raise Refused("not_true_or_false", f"{_short(said)} is neither true nor false.", "Write true or false.")
    if kind == "MCHO" and not said.startswith("["):
        return [part for one in said.split(";") if (part := one.strip())]
    return _json(said)


def _number(said: str) -> float:
    try:
        number = float(said)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Refused("not_a_number", f"{_short(said)} is not a number.", "Write one, such as 0.5 or 1e-3.")
    return number


def _json(said: str) -> Any:
    try:
        return json.loads(said, parse_constant=_no_constant)
    except RecursionError:
        raise Refused("not_json", "It is nested too deeply.", "Say it with fewer levels.") from None
    except json.JSONDecodeError as error:
        message = f"It is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        raise Refused("not_json", message, 'Write JSON, such as {"a": 1}.') from None
    except ValueError as error:
        raise Refused("not_json", f"It is not JSON: {error}.", 'Write JSON, such as {"a": 1}.') from None


def _no_constant(name: str) -> Any:
    message = f"{name} is no number of JSON"
    raise ValueError(message)


def _short(text: str) -> str:
    return f"{text[:40]}…" if len(text) > 40 else text or "Nothing"
