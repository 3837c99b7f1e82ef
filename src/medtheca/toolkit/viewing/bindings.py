"""The rules of key bindings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from medtheca.toolkit.suggest import did_you_mean
from medtheca.toolkit.viewing.faults import Fault, said, shown

KEYS = ("key", "command", "when")
MOST_BINDINGS = 500
_LONGEST = 500
_TEXT = re.compile(f"[^\x00-\x1f\x7f\ud800-\udfff]{{1,{_LONGEST}}}")


def binding_faults(bindings: object) -> list[Fault]:
    """Every rule that key bindings break: a list of objects with `key`, `command` and perhaps `when`, all texts.

    >>> binding_faults([{"key": "ctrl+i", "command": "invert", "when": "image"}])
    []
    >>> print(binding_faults([{"key": "i"}])[0].message)
    Binding 1: command is missing.
    """
    if not isinstance(bindings, list) or len(bindings) > MOST_BINDINGS:
        remedy = 'Write a list, such as [{"key": "ctrl+i", "command": "invert"}].'
        return [Fault((), "no_list", f"Key bindings are a list of at most {MOST_BINDINGS}.", remedy)]
    return [fault for number, binding in enumerate(bindings) for fault in _faults(number, binding)]


def _faults(number: int, binding: object) -> Iterator[Fault]:
    called = f"Binding {number + 1}"
    if not isinstance(binding, dict):
        remedy = 'Write an object, such as {"key": "ctrl+i", "command": "invert"}.'
        yield Fault((number,), "no_object", f"{called} is {shown(binding)}.", remedy)
        return
    for key in ("key", "command"):
        if key not in binding:
            yield Fault((number, key), "missing", f"{called}: {key} is missing.", "A binding has a key and a command.")
    for key, value in binding.items():
        if key not in KEYS:
            remedy = did_you_mean(key, KEYS) or "Take it out. Known are key, command and when."
            yield Fault((number, key), "unknown_key", f"{called}: there is no key {said(key)}.", remedy)
        elif not isinstance(value, str) or not value.strip() or not _TEXT.fullmatch(value):
            remedy = f"Write a text of up to {_LONGEST} characters."
            yield Fault((number, key), "wrong_value", f"{called}: {key} is {shown(value)}.", remedy)
