"""Problems of many rows, alike ones together: what is wrong, how often, where, and what would be right."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_GROUPS = 200
MOST_LINES = 100
MOST_VALUES = 50
_QUOTED = re.compile(r"'[^']*'")
_NUMBER = re.compile(r"[0-9][0-9,.]*")


def shape_of(message: str) -> str:
    """A message without what differs from row to row.

    >>> shape_of("Unknown sex 'femal'. Did you mean 'female'?") == shape_of("Unknown sex 'x'.")
    True
    """
    cause = message.partition(" Did you mean")[0]
    return _NUMBER.sub("#", _QUOTED.sub("'…'", cause))


@dataclass(slots=True)
class _Value:
    message: str
    remedy: str
    count: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    first: Mapping[str, Any]
    count: int = 0
    lines: list[int] = field(default_factory=list)
    values: dict[str, _Value] = field(default_factory=dict)


class ProblemGroups:
    """Takes problems as they are found and keeps little of each."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str], _Group] = {}
        self.count = 0

    def add(self, problem: Mapping[str, Any]) -> None:
        """Take one problem: `line`, `file`, `column`, `field`, `value`, `code`, `message`, `remedy`."""
        self.count += 1
        key = (problem["code"], problem["column"] or problem["field"], shape_of(problem["message"]))
        group = self._groups.setdefault(key, _Group(problem))
        group.count += 1
        if len(group.lines) < MOST_LINES:
            group.lines.append(problem["line"])
        value = group.values.get(problem["value"])
        if value is None:
            if len(group.values) >= MOST_VALUES:
                return
            value = group.values[problem["value"]] = _Value(problem["message"], problem["remedy"])
        value.count += 1
        if len(value.lines) < MOST_LINES:
            value.lines.append(problem["line"])

    def as_list(self) -> list[dict[str, Any]]:
        """The groups as JSON, most frequent first; `example` is the first row that has the problem."""
        ordered = sorted(self._groups.values(), key=lambda group: (-group.count, group.lines[0]))
        return [
            {
                "code": group.first["code"],
                "column": group.first["column"],
                "field": group.first["field"],
                "message": group.first["message"],
                "remedy": group.first["remedy"],
                "count": group.count,
                "lines": group.lines,
                "example": {name: group.first[name] for name in ("line", "file", "value")},
                "values": [
                    {
                        "value": value,
                        "count": found.count,
                        "message": found.message,
                        "remedy": found.remedy,
                        "lines": found.lines,
                    }
                    for value, found in sorted(group.values.items(), key=lambda item: -item[1].count)
                ],
            }
            for group in ordered[:MOST_GROUPS]
        ]
