"""What JSON may be here at all: not too deep, with numbers and texts that PostgreSQL and clients can hold."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from medtheca.toolkit.errors import Refused

DEEPEST = 60
"""Objects and lists within each other."""

_LARGEST = 2**63
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def parse_json(data: bytes) -> Any:
    """The value that UTF-8 bytes spell. Raises `Refused` with the line where it ends to be JSON.

    >>> parse_json(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    """
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        words = f"The file is not UTF-8: byte {error.start:,} is none."
        raise Refused("invalid_json", words, "Save it as UTF-8.") from None
    except json.JSONDecodeError as error:
        words = f"The file is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        raise Refused("invalid_json", words, "Write it with a JSON library.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        # Numbers of thousands of digits, which Python does not read.
        raise Refused("invalid_json", f"The file is not JSON that can be read: {error}.", "") from None


def count_nodes(value: Any) -> int:
    """How many values there are within a value, itself included.

    Raises `Refused` for what JSON has not, or PostgreSQL or clients cannot hold.
    """
    count, level = 0, [value]
    for _ in range(DEEPEST):
        if not level:
            return count
        count += len(level)
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                for key in item:
                    _require_plain(key)
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
            else:
                _require_plain(item)
        level = deeper
    if level:
        raise _too_deep()
    return count


def _require_plain(item: object) -> None:
    if isinstance(item, str):
        if _NO_TEXT.search(item):
            words = "A text holds a character that cannot be kept: U+0000, or half of a pair."
            raise Refused("invalid_value", words, "Leave it out.")
    elif isinstance(item, float):
        if not math.isfinite(item):
            raise Refused("invalid_value", f"{item} is no number in JSON.", "Leave it out.")
    elif isinstance(item, int):
        if not -_LARGEST <= item < _LARGEST:
            raise Refused("invalid_value", "A whole number needs more than 64 bits.", "Write it as a text.")
    elif item is not None:
        raise Refused("invalid_value", f"{type(item).__name__} is nothing that JSON knows.", "")


def _no_number(name: str) -> float:
    raise Refused("invalid_json", f"{name} is no number in JSON.", "Leave it out, or write null where it may be.")


def _too_deep() -> Refused:
    return Refused("too_deep", f"It is nested more than {DEEPEST} deep.", "Make it flatter.")
